//! The command as s5cmd repeats it in messages: name, flags that were given, arguments.

use std::any::TypeId;

use clap::Arg;

use super::grammar::Given;
use super::values::{GoDuration, Integer, Pair};

/// `name --flag=value ... argument ...`: flags in the order in which the command declares them,
/// by their long names, values as Go prints them.
pub(crate) fn typed(name: &str, flags: &[Given<'_>], arguments: &[String]) -> String {
    let mut text = name.to_owned();
    let mut declared: Vec<&Arg> = Vec::new();
    for given in flags {
        if !declared
            .iter()
            .any(|arg| arg.get_id() == given.arg.get_id())
        {
            declared.push(given.arg);
        }
    }
    declared.sort_by_key(|arg| {
        flags
            .iter()
            .find(|given| given.arg.get_id() == arg.get_id())
            .map(|given| given.position)
    });
    for arg in declared {
        let long = arg.get_long().unwrap_or_default();
        let values = flags
            .iter()
            .filter(|given| given.arg.get_id() == arg.get_id())
            .map(|given| given.value.as_str());
        for value in printed(arg, values) {
            text.push_str(&format!(" --{long}={value}"));
        }
    }
    for argument in arguments {
        text.push(' ');
        text.push_str(argument);
    }
    text
}

/// The values of one flag as Go prints them.
fn printed<'v>(arg: &Arg, values: impl Iterator<Item = &'v str>) -> Vec<String> {
    if holds::<Pair>(arg) {
        // s5cmd's map prints each pair with a space behind it.
        return vec![values.map(|value| format!("{value} ")).collect()];
    }
    if arg.get_value_delimiter().is_some() {
        return values.map(str::to_owned).collect();
    }
    let last = values.last().unwrap_or_default();
    let printed = if holds::<Integer>(arg) {
        last.parse::<Integer>().map(|value| value.to_string()).ok()
    } else if holds::<GoDuration>(arg) {
        last.parse::<GoDuration>()
            .map(|value| value.to_string())
            .ok()
    } else {
        None
    };
    vec![printed.unwrap_or_else(|| last.to_owned())]
}

/// Whether a flag's values are of type `T`.
pub(crate) fn holds<T: 'static>(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<T>()
}

/// Quotes a text as Go's `%q` does.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() || c == '\u{a0}' || c == '\u{ad}' || c == '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(quoted("a\"b\\c\nd\u{1}é"), "\"a\\\"b\\\\c\\nd\\x01é\"");
    }
}
