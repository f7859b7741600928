//! Random operations over the engine on a disk that crashes and fails, with the model as oracle.
//!
//! A *story* is one seed's: some lives of one store, each ended by a crash, a kill or a failed
//! flush in the middle of anything. After every reopening all that was acknowledged is there, of
//! the operations under way a prefix is done whole and the rest not at all, and the store goes on.

mod operation;
mod oracle;

use std::sync::Arc;

use base::Clock;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::{Engine, EngineOptions, Error, Layout, StartError};

use crate::disk::{Fault, SimDisk};
use operation::{Operation, Outcome, Started};
use oracle::{Oracle, State};

/// Small, so that blocks and extents end often.
pub const LAYOUT: Layout = Layout {
    extent_bytes: 64 << 10,
    batch_bytes_max: 16 << 10,
    small_body_bytes_max: 2 << 10,
    piece_bytes: 6 << 10,
};

/// Times that a store is opened in one story.
const LIVES: u32 = 4;

/// Rounds of operations in one life, unless it ends before.
const ROUNDS_MAX: u32 = 12;

/// What a story came to; equal for equal seeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Story {
    /// Operations that were acknowledged, refusals too.
    pub acknowledged: u64,
    /// Operations that were under way when a life ended.
    pub uncertain: u64,
    /// Of those, the ones that were found done.
    pub found_done: u64,
    /// Operations for which there was no room.
    pub full: u64,
    /// Writes, flushes and files made on the disk.
    pub disk_operations: u64,
    /// Lives that ended in the middle of something.
    pub cut_short: u64,
}

impl Story {
    /// Both together.
    pub fn add(&mut self, other: &Story) {
        self.acknowledged += other.acknowledged;
        self.uncertain += other.uncertain;
        self.found_done += other.found_done;
        self.full += other.full;
        self.disk_operations += other.disk_operations;
        self.cut_short += other.cut_short;
    }
}

/// How the engine is opened over simulated disks.
pub fn options() -> EngineOptions {
    EngineOptions {
        layout: LAYOUT,
        part_size_min: oracle::PART_SIZE_MIN,
        store: None,
    }
}

/// A store over a simulated disk that nothing went wrong with yet.
///
/// # Panics
/// When it cannot be made.
pub fn new_store(disk: &SimDisk, clock: &Clock) -> Engine {
    Engine::format(disk, clock, &LAYOUT).expect("an empty disk is formatted");
    open(disk, clock).expect("a store that was just made opens")
}

/// Opens the store on a simulated disk.
///
/// # Errors
/// What the engine says.
pub fn open(disk: &SimDisk, clock: &Clock) -> Result<Engine, StartError> {
    Engine::open(Arc::new(disk.clone()), clock.clone(), options())
}

/// Plays one seed's story. Must run inside a runtime, whose clock is taken.
///
/// # Panics
/// When a promise is broken; the message names the seed.
pub fn play(seed: u64) -> Story {
    let start = jiff_start();
    let clock = Clock::seeded(start, seed);
    let mut random = StdRng::seed_from_u64(seed);
    // Some disks are so small that they fill up.
    let extents = [8, 12, 24, 64][random.random_range(0..4)];
    let disk = SimDisk::new(seed ^ 0x5eed, extents * LAYOUT.extent_bytes + (8 << 10));
    let mut player = Player {
        seed,
        oracle: Oracle::new(&clock),
        under_way: Vec::new(),
        disk,
        clock,
        random,
        formatted: false,
        story: Story::default(),
    };
    for _ in 0..LIVES {
        player.live();
    }
    player.end();
    player.story.disk_operations = player.disk.operations();
    player.story
}

/// When every story begins.
fn jiff_start() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_800_000_000).expect("a time of this century")
}

struct Player {
    seed: u64,
    /// What was acknowledged.
    oracle: Oracle,
    /// What was begun and neither acknowledged nor refused, in order.
    under_way: Vec<Operation>,
    disk: SimDisk,
    clock: Clock,
    random: StdRng,
    /// The store was made, and may not be made again.
    formatted: bool,
    story: Story,
}

impl Player {
    /// One life: opened, used, ended somehow.
    fn live(&mut self) {
        let fault = match self.random.random_range(0..10) {
            0..3 => Some(Fault::PowerLoss),
            3..5 => Some(Fault::Kill),
            5..8 => Some(Fault::Fails),
            _ => None,
        };
        if let Some(fault) = fault {
            // Short distances hit the opening itself.
            let reach = [12, 40, 120][self.random.random_range(0..3)];
            self.disk.fault(self.random.random_range(1..reach), fault);
        }
        if let Some(engine) = self.start() {
            self.check(&engine);
            // Some do nothing but open: what they found must be durable by that alone.
            let idle = self.random.random_bool(0.25);
            let rounds = if idle {
                0
            } else {
                self.random.random_range(1..=ROUNDS_MAX)
            };
            if !(0..rounds).all(|_| self.round(&engine)) {
                self.story.cut_short += 1;
            } else if self.random.random_bool(0.3) {
                // A server that ends in peace; or is cut short in that.
                let _ = engine.note_end();
            }
        }
        // Between lives the power fails, or only the process dies.
        if self.random.random_bool(0.5) {
            self.disk.crash();
        } else {
            self.disk.kill();
        }
    }

    /// Makes and opens the store; none when something went wrong on the way.
    fn start(&mut self) -> Option<Engine> {
        if !self.formatted {
            match Engine::format(&self.disk, &self.clock, &LAYOUT) {
                Ok(_) => self.formatted = true,
                Err(StartError::Disk { .. }) => return None,
                // It was finished after all, and only its end was not told.
                Err(StartError::NotEmpty { .. }) => self.formatted = true,
                Err(error) => panic!("seed {}: format: {error:?}", self.seed),
            }
        }
        match open(&self.disk, &self.clock) {
            Ok(engine) => Some(engine),
            Err(StartError::Disk { .. }) => None,
            Err(error) => panic!("seed {}: open: {error:?}", self.seed),
        }
    }

    /// Finds out how far operations under way came, and compares everything.
    fn check(&mut self, engine: &Engine) {
        let found = State::of_engine(engine, &self.oracle);
        let operations = std::mem::take(&mut self.under_way);
        self.story.uncertain += operations.len() as u64;
        // Several prefixes may look alike: the longest counts, as what it adds changes nothing.
        let mut done = (self.oracle.state() == found).then_some(0);
        let mut trial = self.oracle.replayed(&self.clock);
        for (index, operation) in operations.iter().enumerate() {
            let _ = trial.apply(operation);
            if trial.state() == found {
                done = Some(index + 1);
            }
        }
        let Some(done) = done else {
            panic!(
                "seed {}: the store is in no state that operations lead to\nfound {found:#?}\nacknowledged {:#?}\nunder way {operations:#?}",
                self.seed,
                self.oracle.state(),
            );
        };
        for operation in &operations[..done] {
            let _ = self.oracle.apply(operation);
        }
        self.story.found_done += done as u64;
        self.oracle.compare_bytes(engine, self.seed);
        self.oracle.forget_lost_uploads();
    }

    /// Some operations at once; whether the life goes on.
    fn round(&mut self, engine: &Engine) -> bool {
        let count = self.random.random_range(1..=6);
        let mut started: Vec<(Operation, Started)> = Vec::new();
        for _ in 0..count {
            let operation = Operation::draw(&mut self.random, &self.oracle);
            // What an operation by version means is looked up before it begins.
            let alone = operation.is_alone();
            if alone && !started.is_empty() {
                continue;
            }
            let begun = operation.start(engine, &self.oracle);
            started.push((operation, begun));
            if alone {
                break;
            }
        }
        let mut goes_on = true;
        for (operation, begun) in started {
            match begun.wait() {
                Err(Error::Full) => self.story.full += 1,
                Err(Error::Uncertain) => {
                    self.under_way.push(operation);
                    goes_on = false;
                }
                Err(Error::Fenced) => goes_on = false,
                // Behind one that failed, this is an answer that does not rest on it.
                outcome => {
                    self.story.acknowledged += 1;
                    let expected = self.oracle.apply(&operation);
                    let outcome = outcome.map_err(|error| match error {
                        Error::Refused(error) => error.code(),
                        other => panic!("seed {}: {operation:?}: {other:?}", self.seed),
                    });
                    if let (Ok(Outcome::Upload(id)), Operation::CreateUpload { slot, .. }) =
                        (&outcome, &operation)
                    {
                        self.oracle.know_upload(*slot, id.clone());
                    }
                    let outcome = outcome.map(Outcome::comparable);
                    assert_eq!(outcome, expected, "seed {}: {operation:?}", self.seed);
                }
            }
        }
        if !goes_on {
            assert!(
                engine.is_fenced(),
                "seed {}: uncertain, not fenced",
                self.seed
            );
            let found = State::of_engine(engine, &self.oracle);
            assert_eq!(
                found,
                self.oracle.state(),
                "seed {}: a fenced store tells what was durable",
                self.seed
            );
        }
        goes_on
    }

    /// Without further faults the store opens, has everything, and goes on.
    fn end(&mut self) {
        self.disk.heal();
        let engine = self
            .start()
            .unwrap_or_else(|| panic!("seed {}: a healthy disk opens", self.seed));
        self.check(&engine);
        let last = Operation::last();
        for operation in last {
            match operation.start(&engine, &self.oracle).wait() {
                Ok(_) => {
                    self.oracle
                        .apply(&operation)
                        .expect("the model does it too");
                }
                Err(Error::Full) => self.story.full += 1,
                Err(Error::Refused(_)) => {
                    self.oracle
                        .apply(&operation)
                        .expect_err("the model refuses it too");
                }
                Err(error) => panic!("seed {}: {operation:?}: {error:?}", self.seed),
            }
        }
        drop(engine);
        self.disk.crash();
        let engine = self
            .start()
            .unwrap_or_else(|| panic!("seed {}: a healthy disk opens again", self.seed));
        self.check(&engine);
    }
}
