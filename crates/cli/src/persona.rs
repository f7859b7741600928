//! Which of its two names the program was called by.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use mover::job::Ending;

/// The name that the program answers to, and with it its exit codes and error texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persona {
    /// `longhaul`: four exit codes, our own causes.
    Longhaul,
    /// `s5cmd`: exit codes 0 and 1 where s5cmd has them, causes as its SDK words them.
    S5cmd,
}

/// How a command ended, for both names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Our own ending.
    pub(crate) ending: Ending,
    /// Whether s5cmd would exit with an error here.
    pub(crate) peer_failed: bool,
}

impl Outcome {
    /// All went well.
    pub(crate) const DONE: Outcome = Outcome::of(Ending::Done);

    /// An ending that s5cmd sees the same way.
    pub(crate) const fn of(ending: Ending) -> Outcome {
        Outcome {
            ending,
            peer_failed: !matches!(ending, Ending::Done),
        }
    }

    /// Where s5cmd prints an error and exits with 0 all the same.
    pub(crate) const fn quiet_at_peer(self) -> Outcome {
        Outcome {
            ending: self.ending,
            peer_failed: false,
        }
    }

    /// The worse of two: stopped over could not run over failed over done.
    pub(crate) fn worse(self, other: Outcome) -> Outcome {
        let rank = |ending| match ending {
            Ending::Done => 0,
            Ending::Failed => 1,
            Ending::CouldNotRun => 2,
            Ending::Stopped => 3,
        };
        Outcome {
            ending: if rank(other.ending) > rank(self.ending) {
                other.ending
            } else {
                self.ending
            },
            peer_failed: self.peer_failed || other.peer_failed,
        }
    }
}

impl Persona {
    /// Reads the name off the first argument: its file name without `.exe`.
    pub(crate) fn from_program(program: &OsStr) -> Persona {
        match Path::new(program).file_stem().and_then(OsStr::to_str) {
            Some("s5cmd") => Persona::S5cmd,
            _ => Persona::Longhaul,
        }
    }

    /// The name itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Persona::Longhaul => "longhaul",
            Persona::S5cmd => "s5cmd",
        }
    }

    /// The number that the process exits with (DESIGN §4.2).
    pub(crate) fn exit_code(self, outcome: Outcome) -> u8 {
        match (self, outcome.ending) {
            (Persona::S5cmd, _) => u8::from(outcome.peer_failed),
            (Persona::Longhaul, Ending::Done) => 0,
            (Persona::Longhaul, Ending::Failed) => 1,
            (Persona::Longhaul, Ending::CouldNotRun) => 2,
            (Persona::Longhaul, Ending::Stopped) => 3,
        }
    }

    /// The same, for `main`.
    pub(crate) fn exit(self, outcome: Outcome) -> ExitCode {
        ExitCode::from(self.exit_code(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_decides() {
        let of = |text: &str| Persona::from_program(OsStr::new(text));
        assert_eq!(of("/usr/bin/s5cmd"), Persona::S5cmd);
        assert_eq!(of("s5cmd.exe"), Persona::S5cmd);
        assert_eq!(of("longhaul"), Persona::Longhaul);
        assert_eq!(of(""), Persona::Longhaul);
    }

    #[test]
    fn s5cmd_knows_two_codes_and_longhaul_four() {
        for (ending, ours, peer) in [
            (Ending::Done, 0, 0),
            (Ending::Failed, 1, 1),
            (Ending::CouldNotRun, 2, 1),
            (Ending::Stopped, 3, 1),
        ] {
            assert_eq!(Persona::Longhaul.exit_code(Outcome::of(ending)), ours);
            assert_eq!(Persona::S5cmd.exit_code(Outcome::of(ending)), peer);
        }
        let quiet = Outcome::of(Ending::Failed).quiet_at_peer();
        assert_eq!(Persona::Longhaul.exit_code(quiet), 1);
        assert_eq!(Persona::S5cmd.exit_code(quiet), 0);
        assert_eq!(Outcome::DONE.worse(quiet).ending, Ending::Failed);
    }
}
