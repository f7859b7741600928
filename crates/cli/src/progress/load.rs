//! What this process has asked of the machine so far.

use std::time::Duration;

/// Ticks a second in `/proc`.
/// Source: proc(5) and sysconf(3): `_SC_CLK_TCK` is 100 on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// Processor time and time spent waiting for block devices, of all threads together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    pub(crate) cpu: Duration,
    /// Zero where the kernel does not count it.
    pub(crate) disk_wait: Duration,
}

impl Load {
    /// Reads it now; nothing where there is no `/proc`.
    pub(crate) fn read() -> Load {
        std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|text| Load::parse(&text))
            .unwrap_or_default()
    }

    /// Reads `/proc/PID/stat`. The name in parentheses may hold blanks, so fields are counted
    /// from behind it: 14 and 15 are user and system time, 42 the wait for block devices.
    fn parse(text: &str) -> Option<Load> {
        let (_, behind) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind.split_whitespace().collect();
        // The first one behind the name is field 3.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let time = |ticks: u64| Duration::from_millis(ticks.saturating_mul(1_000 / TICKS));
        Some(Load {
            cpu: time(field(14)? + field(15)?),
            disk_wait: time(field(42).unwrap_or(0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let mut fields = vec!["0".to_owned(); 50];
        fields[14 - 3] = "150".to_owned();
        fields[15 - 3] = "50".to_owned();
        fields[42 - 3] = "7".to_owned();
        let text = format!("12 (a b) c) {}", fields.join(" "));
        let load = Load::parse(&text).unwrap();
        assert_eq!(load.cpu, Duration::from_secs(2));
        assert_eq!(load.disk_wait, Duration::from_millis(70));
        assert_eq!(Load::parse("nothing"), None);
    }
}
