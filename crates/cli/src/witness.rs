//! Who hears all that happens besides the printed lines: the manifest and the event file.

use std::path::PathBuf;
use std::sync::Arc;

use mover::Observer;
use mover::manifest::Manifest;
use serde_json::json;

use crate::output::cause::{chain, system_words};
use crate::output::event_file::EventFile;
use crate::persona::Outcome;
use crate::session::Session;
use crate::settings::Settings;

/// The files that the user asked for.
#[derive(Clone, Default)]
pub(crate) struct Witnesses {
    manifest: Option<(PathBuf, Arc<Manifest>)>,
    events: Option<(PathBuf, Arc<EventFile>)>,
}

impl Witnesses {
    /// Creates the files; an error names what and why.
    pub(crate) fn create(settings: &Settings) -> Result<Witnesses, String> {
        let mut witnesses = Witnesses::default();
        if let Some(path) = &settings.manifest {
            let manifest = Manifest::create(path).map_err(|error| chain(&error))?;
            witnesses.manifest = Some((path.clone(), Arc::new(manifest)));
        }
        if let Some(path) = &settings.events {
            let events = EventFile::create(path)
                .map_err(|error| format!("create {}: {}", path.display(), system_words(&error)))?;
            witnesses.events = Some((path.clone(), Arc::new(events)));
        }
        Ok(witnesses)
    }

    /// All of them, to be told of every event.
    pub(crate) fn observers(&self) -> Vec<Arc<dyn Observer>> {
        let manifest = self
            .manifest
            .iter()
            .map(|(_, manifest)| Arc::clone(manifest) as Arc<dyn Observer>);
        let events = self
            .events
            .iter()
            .map(|(_, events)| Arc::clone(events) as Arc<dyn Observer>);
        manifest.chain(events).collect()
    }

    /// Writes the last rows and closes the files. Says what is not whole.
    pub(crate) fn finish(&self, session: &Session, outcome: Outcome) -> Vec<String> {
        let mut broken = Vec::new();
        if let Some((_, manifest)) = &self.manifest
            && let Err(error) = manifest.finish()
        {
            broken.push(format!("the manifest is not whole: {}", chain(&error)));
        }
        if let Some((path, events)) = &self.events {
            let totals = session.totals();
            events.write(
                "end",
                &json!({
                    "ending": format!("{:?}", outcome.ending),
                    "exit_code": session.settings.persona.exit_code(outcome),
                    "listed": totals.listed,
                    "copied": totals.copied,
                    "failed": totals.failed,
                    "bytes_copied": totals.bytes_copied,
                }),
            );
            if let Err(error) = events.finish() {
                let path = path.display();
                broken.push(format!("{path} is not whole: {}", system_words(&error)));
            }
        }
        broken
    }
}
