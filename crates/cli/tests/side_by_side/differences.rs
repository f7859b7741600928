//! What differs on purpose. The same list, for people, is `docs/from-s5cmd.md`.

/// What a difference may show in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The exit code.
    Code,
    /// Objects or files.
    Content,
}

/// A deliberate difference.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Its name on the page and in the cases.
    pub(crate) name: &'static str,
    /// What it shows in.
    pub(crate) aspects: &'static [Aspect],
}

use Aspect::{Code, Content, Stderr, Stdout};

/// All of them.
pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "help",
        aspects: &[Stdout],
    },
    Difference {
        name: "help-of-nothing",
        aspects: &[Stderr, Code],
    },
    Difference {
        name: "version",
        aspects: &[Stdout],
    },
    Difference {
        name: "version-flag",
        aspects: &[Stdout, Stderr, Code],
    },
    Difference {
        name: "more-commands",
        aspects: &[Stdout],
    },
    Difference {
        name: "request-payer",
        aspects: &[Stdout, Stderr, Code],
    },
    Difference {
        name: "error-wording",
        aspects: &[Stderr],
    },
    Difference {
        name: "du-exit-code",
        aspects: &[Stdout, Code],
    },
    Difference {
        name: "presign-week",
        aspects: &[Stdout, Stderr, Code],
    },
    Difference {
        name: "presign-version",
        aspects: &[Stdout],
    },
    Difference {
        name: "bucket-version-path",
        aspects: &[Stderr],
    },
    Difference {
        name: "select",
        aspects: &[Stdout, Stderr, Code],
    },
    Difference {
        name: "expires",
        aspects: &[Stderr],
    },
    Difference {
        name: "progress",
        aspects: &[Stderr],
    },
    Difference {
        name: "onto-itself",
        aspects: &[Stdout, Stderr, Code, Content],
    },
    Difference {
        name: "copy-keeps-metadata",
        aspects: &[Stdout, Content],
    },
    Difference {
        name: "pipe-error",
        aspects: &[Stderr],
    },
    Difference {
        name: "empty-source",
        aspects: &[Stdout, Stderr, Code, Content],
    },
    Difference {
        name: "sync-said-once",
        aspects: &[Stderr],
    },
    Difference {
        name: "sync-one-missing",
        aspects: &[Stdout, Stderr, Code],
    },
    Difference {
        name: "run-exit-code",
        aspects: &[Code],
    },
    Difference {
        name: "run-unterminated",
        aspects: &[Stdout, Stderr, Content],
    },
    Difference {
        name: "onto-file",
        aspects: &[Stdout, Stderr, Code, Content],
    },
    Difference {
        name: "rm-link",
        aspects: &[Stdout, Stderr, Code, Content],
    },
    Difference {
        name: "names-object",
        aspects: &[Stderr],
    },
    Difference {
        name: "not-a-folder",
        aspects: &[Stderr],
    },
    Difference {
        name: "no-empty-folders",
        aspects: &[Content],
    },
    Difference {
        name: "dry-run-looks",
        aspects: &[Stdout, Stderr, Code],
    },
    Difference {
        name: "archived",
        aspects: &[Stderr, Code, Content],
    },
    Difference {
        name: "sync-nothing",
        aspects: &[Code],
    },
    Difference {
        name: "copy-source-blanks",
        aspects: &[Stdout, Stderr, Code, Content],
    },
    Difference {
        name: "dot-slash",
        aspects: &[Stdout],
    },
    Difference {
        name: "named-link",
        aspects: &[Stdout, Content],
    },
];
