//! The log: what becomes of operations between being decided and being durable.
//!
//! **Overview.** [`plan`] says where the next bytes go. [`draft`] collects the changes and bodies of
//! the operations that will share a batch. [`sequencer`] decides operations in log order, hands one
//! draft after the other to whoever waits first, who writes and flushes it for all
//! (`volume`). [`round`] is how the others learn of it.
//!
//! **Invariants.** One batch is under way at a time. A batch's place is known before it is
//! collected. What a refusal rests on is durable before it is answered.
//!
//! **Ordering.** Operations take effect in the order in which they were decided.
//!
//! **Retries.** None. A batch that found no room fails with all that was decided after it.
//!
//! **Cancellation.** Whoever stops waiting leaves the operation to those who do not; with nobody
//! waiting, the next operation takes it along.
//!
//! **Crash.** A batch is there whole or not at all.
//!
//! **Limits.** Operations that do not fit into the batch that is being collected wait for the one
//! before to be durable.

pub(crate) mod draft;
pub(crate) mod plan;
pub(crate) mod round;
pub(crate) mod sequencer;
