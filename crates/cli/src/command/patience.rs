//! What a run does when it cannot go on for now.

use std::io::IsTerminal as _;

use mover::{Context, OnDenied, permission};

use super::Call;
use crate::args::PatienceArgs;
use crate::persona::Persona;

/// The context as the flags want it guarded. Called as `s5cmd` nothing waits.
pub(super) fn guarded(context: Context, args: &PatienceArgs, call: Call<'_>) -> Context {
    let on_denied = match (call.session.settings.persona, args.on_denied) {
        (Persona::S5cmd, None) => return context,
        (_, Some(asked)) => asked,
        (Persona::Longhaul, None) if std::io::stderr().is_terminal() => OnDenied::Wait(None),
        (Persona::Longhaul, None) => OnDenied::Stop,
    };
    permission::guard(&context, on_denied)
}
