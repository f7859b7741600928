//! The lines that s5cmd prints, from what a job tells.

use std::sync::Arc;

use mover::event::{Event, Moved, SkipReason, Verb};
use mover::{Error, Location, Observer};

use super::Output;
use super::rows::{Done, DoneObject};
use crate::args::LogLevel;
use crate::persona::Persona;

/// Prints a line for what happens to each object of one command.
pub(crate) struct Lines {
    output: Arc<Output>,
    persona: Persona,
    /// The command's name: `sync` prints its skips under it, its copies as `cp`.
    operation: &'static str,
    /// The command as typed, for failures that belong to no object.
    typed: String,
    /// Whether what was done is told (not with `--summary`).
    tells_done: bool,
}

impl Lines {
    /// Lines of one command.
    pub(crate) fn new(
        output: Arc<Output>,
        persona: Persona,
        operation: &'static str,
        typed: &str,
        tells_done: bool,
    ) -> Lines {
        Lines {
            output,
            persona,
            operation,
            typed: typed.to_owned(),
            tells_done,
        }
    }

    fn moved(&self, moved: &Moved) {
        if !self.output.says(LogLevel::Info) || !self.tells_done {
            return;
        }
        let verb = verb_word(moved.verb);
        if !self.output.is_json() {
            self.output.text(format_args!(
                "{verb} {} {}",
                moved.source, moved.destination
            ));
            return;
        }
        let source = moved.source.to_string();
        let destination = moved.destination.to_string();
        let both_remote =
            moved.source.as_remote().is_some() && moved.destination.as_remote().is_some();
        self.output.info(&Done {
            operation: verb,
            success: true,
            source: Some(&source),
            destination: Some(&destination),
            object: Some(DoneObject {
                key: both_remote.then_some(destination.as_str()),
                kind: "file",
                size: if both_remote { 0 } else { moved.size.get() },
                storage_class: moved.storage_class.as_deref(),
            }),
            version_id: None,
        });
    }

    fn deleted(&self, location: &Location) {
        if !self.output.says(LogLevel::Info) || !self.tells_done {
            return;
        }
        let place = location.to_string();
        let version = location
            .as_remote()
            .and_then(|object| object.version_id.as_ref());
        self.output.info(&Done {
            version_id: version.map(AsRef::as_ref),
            ..Done::to("rm", &place)
        });
    }

    fn skipped(&self, source: &Location, destination: Option<&Location>, reason: &SkipReason) {
        if !self.output.says(LogLevel::Debug) {
            return;
        }
        if let Some(words) = skip_words(reason) {
            let job = job(self.operation, Some(source), destination);
            self.output.skipped(self.operation, &job, words);
        }
    }

    fn failed(
        &self,
        verb: Verb,
        source: Option<&Location>,
        destination: Option<&Location>,
        error: &Error,
    ) {
        if matches!(error, Error::Cancelled) {
            return;
        }
        let cause = self.persona.cause(error);
        match source {
            Some(_) => {
                let word = verb_word(verb);
                self.output
                    .error(word, &job(word, source, destination), &cause);
            }
            None => self.output.error(self.operation, &self.typed, &cause),
        }
    }
}

impl Observer for Lines {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Moved(moved) => self.moved(moved),
            Event::Deleted { location } => self.deleted(location),
            Event::CopiedNotDeleted { moved, error } => {
                self.failed(
                    moved.verb,
                    Some(&moved.source),
                    Some(&moved.destination),
                    error,
                );
            }
            Event::Skipped {
                source,
                destination,
                reason,
                ..
            } => self.skipped(source, *destination, reason),
            Event::Refused {
                verb,
                source,
                destination,
                error,
            } => self.failed(*verb, Some(source), *destination, error),
            Event::Gone {
                verb,
                source,
                destination,
            } => {
                let word = verb_word(*verb);
                self.output.warning(
                    word,
                    &job(word, Some(source), *destination),
                    "the source was deleted meanwhile",
                );
            }
            Event::Failed {
                verb,
                source,
                destination,
                error,
            } => self.failed(*verb, *source, *destination, error),
            Event::Notice { message } => {
                self.output.notice(self.operation, &self.typed, message);
            }
            Event::Warning { message } => {
                self.output.warning(self.operation, &self.typed, message);
            }
        }
    }
}

/// The object's command, as messages repeat it: `cp a s3://b/a`.
fn job(word: &str, source: Option<&Location>, destination: Option<&Location>) -> String {
    let mut text = word.to_owned();
    for place in [source, destination].into_iter().flatten() {
        text.push(' ');
        text.push_str(&place.to_string());
    }
    text
}

/// A verb's word, without a copy of it.
pub(crate) fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Copy => "cp",
        Verb::Move => "mv",
        Verb::Delete => "rm",
    }
}

/// What `--log debug` says of an object left alone; s5cmd says nothing of filtered ones.
fn skip_words(reason: &SkipReason) -> Option<&'static str> {
    match reason {
        SkipReason::Exists => Some("object already exists"),
        SkipReason::SizeMatches => Some("object size matches"),
        SkipReason::NewerOrSameAge => Some("object is newer or same age"),
        SkipReason::NewerOrSameAgeAndSizeMatches => {
            Some("object is newer or same age and object size matches")
        }
        SkipReason::ContentMatches => Some("object content matches"),
        SkipReason::DoneBefore => Some("done by an earlier run of this job"),
        SkipReason::Archived
        | SkipReason::Filtered
        | SkipReason::OtherShard
        | SkipReason::DirectoryMarker => None,
    }
}
