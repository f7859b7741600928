//! As whom a client asks.

use std::time::Duration;

use jiff::Timestamp;

/// As whom and how a client's requests are signed, for people. Holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signer {
    /// The access key id with its middle starred out; none where requests are not signed.
    pub access_key_id: Option<String>,
    /// Who handed the credentials out, as AWS's crate calls it.
    pub provider: Option<String>,
    /// When the credentials end, where that is known.
    pub expires_at: Option<Timestamp>,
    /// The region that requests are signed for unless a bucket's own was learnt; none where the
    /// store knows no regions.
    pub region: Option<String>,
    /// How far the store's clock was found to be from ours, where that had to be corrected.
    pub clock_offset: Duration,
}

impl Signer {
    /// An access key id as it may be shown: the first four and the last two characters.
    pub fn masked(access_key_id: &str) -> String {
        let letters: Vec<char> = access_key_id.chars().collect();
        let (head, tail) = match letters.len() {
            0..=7 => (1, 0),
            _ => (4, 2),
        };
        let head = head.min(letters.len());
        let first: String = letters[..head].iter().collect();
        let last: String = letters[letters.len() - tail..].iter().collect();
        format!("{first}***{last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_recognised_and_not_given_away() {
        assert_eq!(Signer::masked("AKIAIOSFODNN7EXAMPLE"), "AKIA***LE");
        assert_eq!(Signer::masked("short"), "s***");
        assert_eq!(Signer::masked(""), "***");
    }
}
