//! The variables of the process, as settings read them.

use std::collections::HashMap;

use mover::Side;

/// Variables by name. An empty one counts as unset, as for other tools.
#[derive(Default)]
pub(crate) struct Environment(HashMap<String, String>);

impl Environment {
    /// The process's own.
    pub(crate) fn of_process() -> Environment {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        texts.collect()
    }

    /// A variable's value.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then(|| value.clone())
    }

    /// The value of `AWS_...` for a side alone.
    pub(super) fn of_side(&self, side: Side, name: &str) -> Option<String> {
        self.get(&name_of(side, name))
    }
}

/// What `AWS_...` is called when it is meant for one side.
pub(super) fn name_of(side: Side, name: &str) -> String {
    let side = match side {
        Side::Source => "SOURCE",
        Side::Destination => "DESTINATION",
    };
    format!("LONGHAUL_{side}_{name}")
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Environment {
        Environment(variables.into_iter().collect())
    }
}
