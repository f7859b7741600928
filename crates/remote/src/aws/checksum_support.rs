//! Whether a store takes CRC64NVME, as far as is known.

use std::sync::atomic::{AtomicU8, Ordering};

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Support {
    /// Nothing: the header goes along, and a refusal may be its fault.
    Unknown = 0,
    /// It checks: AWS does, and a store that says the checksum back does.
    Checks = 1,
    /// It said yes to an upload with the header and did not mention it: no harm, no check.
    Ignores = 2,
    /// It said no with the header and yes without.
    Refuses = 3,
}

/// The knowledge about one store, shared by all requests.
#[derive(Debug)]
pub(super) struct ChecksumSupport(AtomicU8);

impl ChecksumSupport {
    pub(super) fn new(known: Support) -> ChecksumSupport {
        ChecksumSupport(AtomicU8::new(known as u8))
    }

    pub(super) fn known(&self) -> Support {
        match self.0.load(Ordering::Relaxed) {
            0 => Support::Unknown,
            1 => Support::Checks,
            2 => Support::Ignores,
            _ => Support::Refuses,
        }
    }

    /// Takes an upload that succeeded into account: whether the header went along, whether it was
    /// left out after a refusal, and whether the answer said the checksum back.
    pub(super) fn learn(&self, sent: bool, left_out_after_refusal: bool, said_back: bool) {
        let learnt = match (self.known(), sent) {
            (Support::Unknown | Support::Ignores, true) if said_back => Support::Checks,
            (Support::Unknown, true) => Support::Ignores,
            (Support::Unknown, false) if left_out_after_refusal => {
                tracing::debug!("the store does not take CRC64NVME");
                Support::Refuses
            }
            _ => return,
        };
        self.0.store(learnt as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_without_the_header_condemns_it() {
        let support = ChecksumSupport::new(Support::Unknown);
        support.learn(false, false, false);
        assert_eq!(support.known(), Support::Unknown);
        support.learn(false, true, false);
        assert_eq!(support.known(), Support::Refuses);
        // What is known stays known.
        support.learn(true, false, true);
        assert_eq!(support.known(), Support::Refuses);
    }

    #[test]
    fn a_checksum_said_back_was_checked() {
        let support = ChecksumSupport::new(Support::Unknown);
        support.learn(true, false, false);
        assert_eq!(support.known(), Support::Ignores);
        support.learn(true, false, true);
        assert_eq!(support.known(), Support::Checks);
        support.learn(false, true, false);
        assert_eq!(support.known(), Support::Checks);
    }
}
