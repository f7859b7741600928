//! Connections at rest.
//!
//! Overview: one [`Route`] for each scheme, host, port and proxy; it keeps idle connections on a
//! stack, so that the one used last, whose congestion window is widest and which the store has
//! least reason to have closed, is used next. Invariants: a connection is either in one stack or
//! somebody's own. Ordering: none. Retries: none here; a connection found closed is dropped and
//! the next one taken. Cancellation: a connection taken and dropped is closed. Limits: idle
//! connections by count and age; open ones by whoever sends requests.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use base::tasks;
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use super::addresses::Addresses;
use super::authority::Authority;
use super::connection::Connection;
use super::dial::{DialError, Dialer};
use super::proxy::Proxy;

/// How long a connection at rest may take to be ready. Usually microseconds; a guess above what a
/// busy machine needs.
const READY_WITHIN: Duration = Duration::from_millis(250);

/// Whom a connection speaks to, and by way of whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct RouteKey {
    pub(super) authority: Authority,
    pub(super) proxy: Option<Proxy>,
}

/// All idle connections of one client.
#[derive(Debug)]
pub(super) struct Pool {
    dialer: Arc<Dialer>,
    limits: PoolLimits,
    routes: RwLock<HashMap<RouteKey, Arc<Route>>>,
}

/// How much rests for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolLimits {
    /// Most idle connections of one route.
    pub(super) idle_connections_max: usize,
    /// After which an idle connection is closed.
    pub(super) idle: Duration,
    /// After which a host is resolved again.
    pub(super) resolve_again: Duration,
}

impl Pool {
    pub(super) fn new(dialer: Dialer, limits: PoolLimits) -> Pool {
        Pool {
            dialer: Arc::new(dialer),
            limits,
            routes: RwLock::default(),
        }
    }

    /// The route to `key`, made when it is first asked for.
    pub(super) fn route(&self, key: RouteKey) -> Arc<Route> {
        if let Some(route) = self.routes.read().get(&key) {
            return Arc::clone(route);
        }
        let mut routes = self.routes.write();
        let route = routes.entry(key.clone()).or_insert_with(|| {
            let (host, port) = match &key.proxy {
                Some(proxy) => (&proxy.host, proxy.port),
                None => (&key.authority.host, key.authority.port),
            };
            Arc::new(Route {
                addresses: Addresses::new(host, port, self.limits.resolve_again),
                dialer: Arc::clone(&self.dialer),
                limits: self.limits,
                resting: Mutex::default(),
                key,
            })
        });
        Arc::clone(route)
    }
}

/// The way to one host, with its idle connections.
#[derive(Debug)]
pub(super) struct Route {
    key: RouteKey,
    addresses: Addresses,
    dialer: Arc<Dialer>,
    limits: PoolLimits,
    resting: Mutex<Resting>,
}

#[derive(Debug, Default)]
struct Resting {
    /// Oldest first.
    connections: Vec<(Instant, Connection)>,
    /// Whether a task closes those that rest too long.
    reaped: bool,
}

impl Route {
    /// An idle connection if one is still open, else a new one.
    pub(super) async fn connection(&self) -> Result<Connection, DialError> {
        while let Some(mut connection) = self.take() {
            // Waits for the task that drives it to notice the end of the last answer. One whose
            // store answered before it read the whole request may wait for ever.
            let ready = tokio::time::timeout(READY_WITHIN, connection.ready());
            if ready.await == Ok(true) {
                return Ok(connection);
            }
        }
        self.fresh_connection().await
    }

    /// A new connection.
    pub(super) async fn fresh_connection(&self) -> Result<Connection, DialError> {
        self.dialer
            .dial(
                &self.key.authority,
                self.key.proxy.as_ref(),
                &self.addresses,
            )
            .await
    }

    fn take(&self) -> Option<Connection> {
        let mut resting = self.resting.lock();
        let (since, connection) = resting.connections.pop()?;
        if since.elapsed() >= self.limits.idle {
            // The freshest is too old, so all are.
            resting.connections.clear();
            return None;
        }
        Some(connection)
    }

    /// Lets a connection rest whose answer was read to its end.
    pub(super) fn give_back(self: &Arc<Self>, mut connection: Connection) {
        if connection.is_closed() {
            return;
        }
        connection.reused = true;
        let mut resting = self.resting.lock();
        resting.connections.push((Instant::now(), connection));
        if resting.connections.len() > self.limits.idle_connections_max {
            resting.connections.remove(0);
        }
        // A body may be dropped outside of a runtime, at the end of a program.
        if !resting.reaped && tokio::runtime::Handle::try_current().is_ok() {
            resting.reaped = true;
            tasks::spawn(
                "idle connections",
                reap(Arc::downgrade(self), self.limits.idle),
            );
        }
    }

    /// Closes what rested too long. Whether anything still rests.
    fn reap(&self) -> bool {
        let mut resting = self.resting.lock();
        let idle = self.limits.idle;
        resting
            .connections
            .retain(|(since, connection)| since.elapsed() < idle && !connection.is_closed());
        resting.reaped = !resting.connections.is_empty();
        resting.reaped
    }
}

/// Runs for as long as the route lives and something rests.
async fn reap(route: Weak<Route>, idle: Duration) {
    loop {
        tokio::time::sleep(idle / 2).await;
        match route.upgrade() {
            Some(route) if route.reap() => {}
            _ => return,
        }
    }
}
