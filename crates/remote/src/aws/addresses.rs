//! The addresses of one host, and which of them to try next.
//!
//! S3 answers a name with several addresses and changes them often; a client that keeps to one
//! gets one front end's rate. So connections go round all of them, the name is asked again from
//! time to time, and an address that failed rests for a while.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long an address that failed is left out, as long as others are there. A guess.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// A host's addresses. Shared by all connections to it.
#[derive(Debug)]
pub(super) struct Addresses {
    host: String,
    port: u16,
    resolve_again: Duration,
    known: Mutex<Known>,
    /// Held while the name is asked, so that a burst of connections asks once.
    resolving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<KnownAddress>,
    resolved_at: Option<Instant>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct KnownAddress {
    address: SocketAddr,
    rests_until: Option<Instant>,
}

impl Addresses {
    pub(super) fn new(host: &str, port: u16, resolve_again: Duration) -> Addresses {
        Addresses {
            host: host.to_owned(),
            port,
            resolve_again,
            known: Mutex::default(),
            resolving: tokio::sync::Mutex::default(),
        }
    }

    /// The addresses in the order in which one new connection should try them: the next in turn
    /// first, those that failed lately last.
    pub(super) async fn in_turn(&self) -> io::Result<Vec<SocketAddr>> {
        if self.is_stale() {
            let _resolving = self.resolving.lock().await;
            if self.is_stale() {
                self.resolve().await?;
            }
        }
        Ok(self.known.lock().in_turn(Instant::now()))
    }

    fn is_stale(&self) -> bool {
        let known = self.known.lock();
        known
            .resolved_at
            .is_none_or(|at| at.elapsed() >= self.resolve_again)
    }

    async fn resolve(&self) -> io::Result<()> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map(Iterator::collect::<Vec<_>>);
        let mut known = self.known.lock();
        match found {
            Ok(found) if !found.is_empty() => known.replace(&found),
            // Better the addresses of a moment ago than none.
            Ok(_) | Err(_) if !known.addresses.is_empty() => {}
            Ok(_) => return Err(io::Error::new(io::ErrorKind::NotFound, "no address")),
            Err(error) => return Err(error),
        }
        known.resolved_at = Some(Instant::now());
        Ok(())
    }

    /// Lets an address rest.
    pub(super) fn failed(&self, address: SocketAddr) {
        self.known
            .lock()
            .mark(address, Some(Instant::now() + REST_AFTER_FAILURE));
    }

    /// Takes an address back at once.
    pub(super) fn works(&self, address: SocketAddr) {
        self.known.lock().mark(address, None);
    }
}

impl Known {
    fn replace(&mut self, found: &[SocketAddr]) {
        let old = std::mem::take(&mut self.addresses);
        for &address in found {
            if self.addresses.iter().any(|known| known.address == address) {
                continue;
            }
            let rests_until = old
                .iter()
                .find(|known| known.address == address)
                .and_then(|known| known.rests_until);
            self.addresses.push(KnownAddress {
                address,
                rests_until,
            });
        }
    }

    fn mark(&mut self, address: SocketAddr, rests_until: Option<Instant>) {
        for known in &mut self.addresses {
            if known.address == address {
                known.rests_until = rests_until;
            }
        }
    }

    fn in_turn(&mut self, now: Instant) -> Vec<SocketAddr> {
        let count = self.addresses.len();
        let first = self.next;
        self.next = self.next.wrapping_add(1);
        // The resolver puts the better family first (RFC 6724): the other one is for need only.
        let is_v6 = self
            .addresses
            .first()
            .is_some_and(|known| known.address.is_ipv6());
        let mut in_turn: Vec<KnownAddress> = (0..count)
            .map(|step| self.addresses[first.wrapping_add(step) % count])
            .collect();
        in_turn.sort_by_key(|known| {
            let rests = known.rests_until.is_some_and(|until| until > now);
            (rests, known.address.is_ipv6() != is_v6)
        });
        in_turn.into_iter().map(|known| known.address).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn connections_go_round_and_failed_addresses_rest() {
        let addresses = Addresses::new("127.0.0.1", 80, Duration::from_secs(3_600));
        addresses.in_turn().await.unwrap();
        let all = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "[::1]:80"].map(address);
        addresses.known.lock().replace(&all);
        let mut firsts = Vec::new();
        for _ in 0..8 {
            let turn = addresses.in_turn().await.unwrap();
            assert_eq!(turn.len(), 4);
            assert_eq!(turn[3], all[3], "the other family is for need only");
            firsts.push(turn[0]);
        }
        assert!(all[..3].iter().all(|address| firsts.contains(address)));
        addresses.failed(all[1]);
        for _ in 0..8 {
            let turn = addresses.in_turn().await.unwrap();
            assert_eq!(turn[3], all[1], "{turn:?}");
        }
        addresses.works(all[1]);
        let mut firsts = Vec::new();
        for _ in 0..8 {
            firsts.push(addresses.in_turn().await.unwrap()[0]);
        }
        assert!(firsts.contains(&all[1]));
    }

    #[tokio::test]
    async fn a_name_that_is_none_is_an_error() {
        let addresses = Addresses::new("no-such-host.invalid", 80, Duration::ZERO);
        assert!(addresses.in_turn().await.is_err());
    }
}
