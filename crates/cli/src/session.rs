//! What the commands of one process share: clients, limits, output, accounts.

mod clients;
mod lanes;

use std::sync::Arc;

use base::Clock;
use base::flow::ByteBudget;
use mover::accounts::Sums;
use mover::event::{Event, Observer};
use mover::route::Routes;
use mover::{Accounts, Context, Flow, Limits, Side};
use parking_lot::Mutex;
use remote::ObjectClient;
use remote::aws::RequestCounts;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::journal::JobBook;
use crate::output::Output;
use crate::output::stat::Stat;
use crate::settings::Settings;
use clients::Clients;
use lanes::Lanes;
pub(crate) use lanes::Slots;

/// Shared by every command; commands of a run file run at once.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) output: Arc<Output>,
    pub(crate) stat: Stat,
    pub(crate) clock: Clock,
    /// Cancelled at the first interrupt, or when nobody reads the output any more.
    pub(crate) stopping: CancellationToken,
    /// The journal of the process's job.
    pub(crate) job: JobBook,
    /// Hear every event besides the printed lines: the manifest, the event file.
    observers: Vec<Arc<dyn Observer>>,
    clients: Clients,
    accounts: Mutex<Books>,
    objects: Arc<Semaphore>,
    memory: ByteBudget,
    /// What commands learn about pairs of buckets.
    routes: Arc<Routes>,
    /// The request slots of each endpoint.
    lanes: Lanes,
}

impl Session {
    /// A session under `settings`; `observers` hear all that happens.
    pub(crate) fn new(
        settings: Settings,
        output: Arc<Output>,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Session {
        let lanes = Lanes::new(
            settings.requests_max,
            settings.source.traffic.clone(),
            settings.destination.traffic.clone(),
            Arc::clone(&output),
        );
        Session {
            objects: Arc::new(Semaphore::new(settings.workers.get())),
            memory: ByteBudget::new(settings.memory),
            routes: Arc::default(),
            settings,
            stat: Stat::default(),
            clock: Clock::system(),
            stopping: CancellationToken::new(),
            job: JobBook::default(),
            output,
            observers,
            clients: Clients::default(),
            accounts: Mutex::default(),
            lanes,
        }
    }

    /// With the job that this process runs.
    pub(crate) fn with_job(mut self, job: JobBook) -> Session {
        self.job = job;
        self
    }

    /// The client of a side, for a region or for the one that the settings name.
    pub(crate) async fn client(
        &self,
        side: Side,
        region: Option<&str>,
    ) -> Result<Arc<dyn ObjectClient>, remote::Error> {
        let mut options = self.settings.side(side).clone();
        if let Some(region) = region.filter(|region| !region.is_empty()) {
            options.region = Some(region.to_owned());
        }
        self.clients.client(options).await
    }

    /// What a side's clients have done so far. The connections of clients that both sides share
    /// are counted with the side that used them first.
    pub(crate) fn requests(&self, side: Side) -> RequestCounts {
        self.settings.side(side).traffic.counters.read()
    }

    /// What a job runs in: both sides' clients, the shared limits, and `lines` among those who
    /// hear.
    pub(crate) fn context(
        &self,
        source: Arc<dyn ObjectClient>,
        destination: Arc<dyn ObjectClient>,
        lines: Arc<dyn Observer>,
    ) -> Context {
        let observer: Arc<dyn Observer> = if self.observers.is_empty() {
            lines
        } else {
            let mut all = self.observers.clone();
            all.insert(0, lines);
            Arc::new(Everybody(all))
        };
        let limits = Limits {
            objects_max: self.settings.workers,
            memory: self.settings.memory,
            requests_max: self.settings.requests_max,
            ..Limits::default()
        };
        let lanes = (
            self.lanes.lane(&source.endpoint(), Side::Source),
            self.lanes.lane(&destination.endpoint(), Side::Destination),
        );
        Context {
            source,
            destination,
            limits,
            objects: Arc::clone(&self.objects),
            routes: Arc::clone(&self.routes),
            flow: Flow::new(self.memory.clone(), lanes.0, lanes.1),
            retry: self.settings.source.retry.clone(),
            observer,
            stopping: self.stopping.clone(),
            clock: self.clock.clone(),
            journal: None,
        }
    }

    /// The request slots of every endpoint that jobs talk to.
    pub(crate) fn slots(&self) -> Vec<Slots> {
        self.lanes.slots()
    }

    /// Opens the accounts of a job; progress adds up all of them.
    pub(crate) fn open_accounts(&self) -> Arc<Accounts> {
        self.accounts.lock().open()
    }

    /// Whether any job may still find objects.
    pub(crate) fn is_enumerating(&self) -> bool {
        let books = self.accounts.lock();
        books.open.iter().any(|accounts| accounts.is_enumerating())
    }

    /// Adds up every job's sums, of those under way too.
    pub(crate) fn totals(&self) -> Totals {
        let books = self.accounts.lock();
        books.open.iter().fold(books.closed, |totals, accounts| {
            totals.with(&accounts.sums())
        })
    }
}

/// Accounts open before those that nobody holds any more are added up and let go: a run file of
/// millions of lines opens millions of them.
const OPEN_MAX: usize = 1_024;

/// The accounts of all jobs.
#[derive(Default)]
struct Books {
    open: Vec<Arc<Accounts>>,
    closed: Totals,
}

impl Books {
    fn open(&mut self) -> Arc<Accounts> {
        if self.open.len() >= OPEN_MAX {
            let closed = &mut self.closed;
            self.open.retain(|accounts| {
                let held = Arc::strong_count(accounts) > 1;
                if !held {
                    *closed = closed.with(&accounts.sums());
                }
                held
            });
        }
        let accounts = Arc::new(Accounts::default());
        self.open.push(Arc::clone(&accounts));
        accounts
    }
}

/// Sums of all jobs of a session, as progress shows them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) listed: u64,
    pub(crate) copied: u64,
    /// Copied, or left alone for good.
    pub(crate) settled: u64,
    pub(crate) failed: u64,
    pub(crate) pending: u64,
    pub(crate) in_flight: u64,
    pub(crate) bytes_listed: u64,
    pub(crate) bytes_moved: u64,
    pub(crate) bytes_copied: u64,
}

impl Totals {
    /// With the sums of one more job.
    fn with(self, sums: &Sums) -> Totals {
        let settled = sums.copied + sums.same + sums.ignored + sums.refused + sums.gone;
        Totals {
            listed: self.listed + sums.listed,
            copied: self.copied + sums.copied,
            settled: self.settled + settled,
            failed: self.failed + sums.failed + sums.job_failures,
            pending: self.pending + sums.pending,
            in_flight: self.in_flight + sums.in_flight,
            bytes_listed: self.bytes_listed + sums.bytes_listed,
            bytes_moved: self.bytes_moved + sums.bytes_moved,
            bytes_copied: self.bytes_copied + sums.bytes_copied,
        }
    }
}

/// Tells several observers.
struct Everybody(Vec<Arc<dyn Observer>>);

impl Observer for Everybody {
    fn on_event(&self, event: &Event<'_>) {
        for observer in &self.0 {
            observer.on_event(event);
        }
    }
}
