//! What the commands of one process share: clients, limits, output, accounts.

use std::collections::HashMap;
use std::sync::Arc;

use base::Clock;
use base::flow::ByteBudget;
use mover::event::{Event, Observer};
use mover::{Accounts, Context, Limits};
use parking_lot::Mutex;
use remote::ObjectClient;
use remote::aws::{AwsClient, RequestCounters};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::output::Output;
use crate::output::stat::Stat;
use crate::settings::Settings;

/// Shared by every command; commands of a run file run at once.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) output: Arc<Output>,
    pub(crate) stat: Stat,
    pub(crate) clock: Clock,
    /// Cancelled at the first interrupt, or when nobody reads the output any more.
    pub(crate) stopping: CancellationToken,
    /// What every client has done.
    pub(crate) requests: RequestCounters,
    /// Hear every event besides the printed lines: the manifest, the event file.
    observers: Vec<Arc<dyn Observer>>,
    /// One client a region that was named.
    clients: tokio::sync::Mutex<HashMap<Option<String>, Arc<dyn ObjectClient>>>,
    accounts: Mutex<Vec<Arc<Accounts>>>,
    objects: Arc<Semaphore>,
    memory: ByteBudget,
}

impl Session {
    /// A session under `settings`; `observers` hear all that happens.
    pub(crate) fn new(
        settings: Settings,
        output: Arc<Output>,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Session {
        Session {
            objects: Arc::new(Semaphore::new(settings.workers.get())),
            memory: ByteBudget::new(settings.memory),
            requests: settings.store.counters.clone(),
            settings,
            stat: Stat::default(),
            clock: Clock::system(),
            stopping: CancellationToken::new(),
            output,
            observers,
            clients: tokio::sync::Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// The client for a region, or for the one that the settings name.
    pub(crate) async fn client(
        &self,
        region: Option<&str>,
    ) -> Result<Arc<dyn ObjectClient>, remote::Error> {
        let region = region.filter(|region| !region.is_empty());
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(&region.map(str::to_owned)) {
            return Ok(Arc::clone(client));
        }
        let mut options = self.settings.store.clone();
        if let Some(region) = region {
            options.region = Some(region.to_owned());
        }
        let client: Arc<dyn ObjectClient> = Arc::new(Box::pin(AwsClient::new(options)).await?);
        clients.insert(region.map(str::to_owned), Arc::clone(&client));
        Ok(client)
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
        Context {
            source,
            destination,
            limits: Limits {
                objects_max: self.settings.workers,
                memory: self.settings.memory,
                ..Limits::default()
            },
            objects: Arc::clone(&self.objects),
            memory: self.memory.clone(),
            retry: self.settings.store.retry.clone(),
            observer,
            stopping: self.stopping.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Opens the accounts of a job; progress adds up all of them.
    pub(crate) fn open_accounts(&self) -> Arc<Accounts> {
        let accounts = Arc::new(Accounts::default());
        self.accounts.lock().push(Arc::clone(&accounts));
        accounts
    }

    /// Adds up every job's sums, of those under way too.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for accounts in self.accounts.lock().iter() {
            let sums = accounts.sums();
            totals.listed += sums.listed;
            totals.copied += sums.copied;
            totals.settled += sums.copied + sums.same + sums.ignored + sums.refused + sums.gone;
            totals.failed += sums.failed + sums.job_failures;
            totals.pending += sums.pending;
            totals.in_flight += sums.in_flight;
            totals.bytes_listed += sums.bytes_listed;
            totals.bytes_moved += sums.bytes_moved;
            totals.bytes_copied += sums.bytes_copied;
        }
        totals
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

/// Tells several observers.
struct Everybody(Vec<Arc<dyn Observer>>);

impl Observer for Everybody {
    fn on_event(&self, event: &Event<'_>) {
        for observer in &self.0 {
            observer.on_event(event);
        }
    }
}
