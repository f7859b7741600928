//! What a side's refusals mean. Pure: knows no store, no time, only what was sent and answered.

use base::{BucketName, Key};

/// Refusals in a row, without a success between, after which the permission itself is doubted.
/// A guess, to be measured.
pub(super) const DENIED_IN_A_ROW: u32 = 8;

/// Kinds of requests that one permission covers. What has no kind is never doubted: its callers
/// have another way when it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// GetObject, HeadObject.
    Read,
    /// Listings.
    List,
    /// PutObject and what makes an upload.
    Write,
}

/// What a request was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: BucketName,
    pub(super) key: Option<Key>,
}

/// A request's place in the order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Ticket(u64);

/// A refusal that waits for its verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Denial {
    /// The last request sent before the refusal was read: only later ones prove anything.
    at: Ticket,
    /// The loss it belongs to, counted.
    losses: u64,
    /// Whether the request had been sent again after a proof.
    again: bool,
}

/// What is to become of a refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It fails by itself.
    Own,
    /// Send it again.
    Resend {
        /// Whether another refusal is then its own.
        proven: bool,
    },
    /// Find out whether the permission is still there; told to one only.
    Probe,
    /// Wait until something changes.
    Wait,
}

/// What a probe found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// The permission is there.
    Works,
    /// It is not, or nobody can tell.
    Lost,
}

/// One kind of requests on one side.
#[derive(Debug, Default)]
struct Row {
    /// The place that worked last.
    good: Option<Place>,
    /// Refusals since the last success.
    denied_in_a_row: u32,
    /// The latest ticket that worked.
    proof: Option<Ticket>,
    /// Sent and not answered.
    under_way: u64,
    probing: bool,
}

/// One side of a run.
#[derive(Debug, Default)]
pub(super) struct Lane {
    rows: [Row; 3],
    /// Reads only check what was written: a side that never allowed one has lost nothing.
    reads_check: bool,
    last: Ticket,
    closed: bool,
    losses: u64,
    /// Answers to requests sent before this one tell nothing about now.
    regained: Ticket,
}

impl Lane {
    /// The open lane of a side that is written to.
    pub(super) fn of_destination() -> Lane {
        Lane {
            reads_check: true,
            ..Lane::default()
        }
    }

    /// Whether requests must wait.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Notes a request on its way.
    pub(super) fn sent(&mut self, kind: Option<Kind>) -> Ticket {
        self.last.0 += 1;
        if let Some(kind) = kind {
            self.row(kind).under_way += 1;
        }
        self.last
    }

    /// Notes that a request ended, however it did.
    pub(super) fn ended(&mut self, kind: Option<Kind>) {
        if let Some(kind) = kind {
            self.row(kind).under_way -= 1;
        }
    }

    /// Notes a success.
    pub(super) fn worked(&mut self, kind: Kind, ticket: Ticket, place: &Place) {
        let row = self.row(kind);
        row.good = Some(place.clone());
        row.denied_in_a_row = 0;
        row.proof = row.proof.max(Some(ticket));
    }

    /// Notes a refusal of a key; `again` says that it had been sent again after a proof.
    pub(super) fn denied(&mut self, kind: Kind, again: bool) -> Denial {
        let denial = Denial {
            at: self.last,
            losses: self.losses,
            again,
        };
        let row = self.row(kind);
        row.denied_in_a_row = row.denied_in_a_row.saturating_add(1);
        denial
    }

    /// Notes credentials that are no longer good. True where that closes the lane just now.
    pub(super) fn expired(&mut self, ticket: Ticket) -> bool {
        if self.closed || ticket <= self.regained {
            return false;
        }
        self.closed = true;
        true
    }

    /// Decides about a refusal. To be asked again after every change.
    pub(super) fn judge(&mut self, kind: Kind, denial: Denial) -> Verdict {
        if self.closed {
            return Verdict::Wait;
        }
        if denial.losses < self.losses {
            return Verdict::Resend { proven: false };
        }
        let reads_check = self.reads_check;
        // Where listing works, one more listing tells whether all is lost.
        let has_listed = kind == Kind::Read && self.rows[Kind::List as usize].good.is_some();
        let row = self.row(kind);
        if denial.again || (reads_check && kind == Kind::Read && row.good.is_none()) {
            return Verdict::Own;
        }
        if row.proof.is_some_and(|proof| proof > denial.at) {
            return Verdict::Resend { proven: true };
        }
        if row.probing {
            return Verdict::Wait;
        }
        let many = row.denied_in_a_row >= DENIED_IN_A_ROW;
        let alone = row.under_way == 0;
        match (many, alone, has_listed || row.good.is_some()) {
            (true, _, _) | (false, true, true) => {
                row.probing = true;
                Verdict::Probe
            }
            // Nothing ever worked, so nothing was lost.
            (false, true, false) => Verdict::Own,
            (false, false, _) => Verdict::Wait,
        }
    }

    /// The place that worked last.
    pub(super) fn good(&self, kind: Kind) -> Option<&Place> {
        self.rows[kind as usize].good.as_ref()
    }

    /// Settles a probe that was begun for `kind` and sent as `ticket`. True where it closes the
    /// lane just now.
    pub(super) fn probed(&mut self, kind: Kind, ticket: Ticket, finding: Finding) -> bool {
        let row = self.row(kind);
        row.probing = false;
        match finding {
            Finding::Works => {
                row.denied_in_a_row = 0;
                row.proof = row.proof.max(Some(ticket));
                false
            }
            Finding::Lost => !std::mem::replace(&mut self.closed, true),
        }
    }

    /// The permission is back.
    pub(super) fn regain(&mut self) {
        self.closed = false;
        self.losses += 1;
        self.regained = self.last;
        for row in &mut self.rows {
            row.denied_in_a_row = 0;
        }
    }

    fn row(&mut self, kind: Kind) -> &mut Row {
        &mut self.rows[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            bucket: BucketName::new("bucket").unwrap(),
            key: Some(Key::new("key").unwrap()),
        }
    }

    fn deny(lane: &mut Lane, again: bool) -> Denial {
        lane.sent(Some(Kind::Read));
        lane.ended(Some(Kind::Read));
        lane.denied(Kind::Read, again)
    }

    fn succeed(lane: &mut Lane) {
        let ticket = lane.sent(Some(Kind::Read));
        lane.ended(Some(Kind::Read));
        lane.worked(Kind::Read, ticket, &place());
    }

    #[test]
    fn only_a_later_success_proves_that_a_key_is_to_blame() {
        let mut lane = Lane::default();
        succeed(&mut lane);
        let slow = lane.sent(Some(Kind::Read));
        let denial = deny(&mut lane, false);
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Wait);
        // Sent before the refusal was read: the permission may have gone between the two.
        lane.ended(Some(Kind::Read));
        lane.worked(Kind::Read, slow, &place());
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Probe);
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Wait);
        let probe = lane.sent(None);
        assert!(!lane.probed(Kind::Read, probe, Finding::Works));
        let verdict = lane.judge(Kind::Read, denial);
        assert_eq!(verdict, Verdict::Resend { proven: true });
        let second = deny(&mut lane, true);
        assert_eq!(lane.judge(Kind::Read, second), Verdict::Own);
    }

    #[test]
    fn eight_in_a_row_are_doubted_even_where_others_are_under_way() {
        let mut lane = Lane::default();
        succeed(&mut lane);
        lane.sent(Some(Kind::Read));
        let denials: Vec<Denial> = (0..DENIED_IN_A_ROW)
            .map(|_| {
                let denial = deny(&mut lane, false);
                let doubted = lane.rows[0].denied_in_a_row == DENIED_IN_A_ROW;
                let expected = if doubted {
                    Verdict::Probe
                } else {
                    Verdict::Wait
                };
                assert_eq!(lane.judge(Kind::Read, denial), expected);
                denial
            })
            .collect();
        let probe = lane.sent(None);
        assert!(lane.probed(Kind::Read, probe, Finding::Lost));
        assert!(lane.is_closed());
        for denial in &denials {
            assert_eq!(lane.judge(Kind::Read, *denial), Verdict::Wait);
        }
        lane.regain();
        for denial in &denials {
            let verdict = lane.judge(Kind::Read, *denial);
            assert_eq!(verdict, Verdict::Resend { proven: false });
        }
    }

    #[test]
    fn what_never_worked_was_not_lost_until_it_is_many() {
        let mut lane = Lane::default();
        for _ in 1..DENIED_IN_A_ROW {
            let denial = deny(&mut lane, false);
            assert_eq!(lane.judge(Kind::Read, denial), Verdict::Own);
        }
        let denial = deny(&mut lane, false);
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Probe);
    }

    #[test]
    fn a_side_that_was_listed_is_listed_again_when_its_first_key_is_refused() {
        let mut lane = Lane::default();
        let listing = lane.sent(Some(Kind::List));
        lane.ended(Some(Kind::List));
        lane.worked(Kind::List, listing, &place());
        let denial = deny(&mut lane, false);
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Probe);
    }

    #[test]
    fn a_destination_that_never_lets_itself_be_read_is_no_loss() {
        let mut lane = Lane::of_destination();
        lane.sent(Some(Kind::Read));
        for _ in 0..2 * DENIED_IN_A_ROW {
            let denial = deny(&mut lane, false);
            assert_eq!(lane.judge(Kind::Read, denial), Verdict::Own);
        }
        succeed(&mut lane);
        let denial = deny(&mut lane, false);
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Wait);
    }

    #[test]
    fn a_success_of_another_kind_proves_nothing() {
        let mut lane = Lane::default();
        succeed(&mut lane);
        let denial = deny(&mut lane, false);
        let listing = lane.sent(Some(Kind::List));
        lane.ended(Some(Kind::List));
        lane.worked(Kind::List, listing, &place());
        assert_eq!(lane.judge(Kind::Read, denial), Verdict::Probe);
    }

    #[test]
    fn an_answer_from_before_the_return_closes_nothing() {
        let mut lane = Lane::default();
        let old = lane.sent(None);
        let other = lane.sent(None);
        assert!(lane.expired(old));
        assert!(!lane.expired(other), "told once");
        lane.regain();
        assert!(!lane.expired(other));
        assert!(!lane.is_closed());
        let new = lane.sent(None);
        assert!(lane.expired(new));
    }
}
