//! The endpoint as a whole: it listens, and gives each connection a task.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base::tasks;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::connection::{Connection, Open};
use super::counters::Counters;
use super::faults::Faults;
use super::options::NullOptions;
use super::pace::Pace;
use super::route::Store;
use super::tls;

/// An endpoint that has an address.
#[derive(Debug)]
pub struct NullEndpoint {
    listener: TcpListener,
    /// Beside a listener that speaks TLS, one that does not, for those who drive the endpoint.
    driver: Option<TcpListener>,
    tls: Option<Arc<ServerConfig>>,
    store: Arc<Store>,
    pace: Arc<Pace>,
    faults: Arc<Faults>,
}

impl NullEndpoint {
    /// Takes the address.
    pub async fn bind(options: &NullOptions) -> Result<NullEndpoint> {
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listen at {}", options.listen))?;
        let (tls, driver) = match &options.tls {
            Some(trust) => {
                let driver = TcpListener::bind("127.0.0.1:0")
                    .await
                    .context("listen for a driver")?;
                (Some(tls::config(trust)?), Some(driver))
            }
            None => (None, None),
        };
        Ok(NullEndpoint {
            listener,
            driver,
            tls,
            store: Arc::new(Store::new(options)),
            pace: Arc::new(Pace::new(options)),
            faults: Arc::new(Faults::new(options)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("the listener's address")
    }

    /// The same as a URL.
    pub fn url(&self) -> Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// Where its counters are, if that is another place.
    pub fn driver_url(&self) -> Result<Option<String>> {
        let Some(driver) = &self.driver else {
            return Ok(None);
        };
        let address = driver.local_addr().context("the driver's address")?;
        Ok(Some(format!("http://{address}")))
    }

    /// What it has seen.
    pub fn counters(&self) -> Arc<Counters> {
        self.store.counters.clone()
    }

    /// Takes connections until dropped. Connections that are open then live on with their tasks.
    pub async fn run(self) -> Result<()> {
        let acceptor = self.tls.clone().map(TlsAcceptor::from);
        let clients = self.accept(&self.listener, acceptor);
        match &self.driver {
            Some(driver) => tokio::try_join!(clients, self.accept(driver, None)).map(|_| ()),
            None => clients.await,
        }
    }

    async fn accept(&self, listener: &TcpListener, acceptor: Option<TlsAcceptor>) -> Result<()> {
        loop {
            let (stream, _) = listener.accept().await.context("accept")?;
            stream.set_nodelay(true).context("set TCP_NODELAY")?;
            let open = Open::new(self.store.counters.clone());
            let connection = (self.store.clone(), self.pace.clone(), self.faults.clone());
            let acceptor = acceptor.clone();
            tasks::spawn("null connection", async move {
                let _open = open;
                // A connection that a client breaks off ends here; the client has its error.
                let _ = serve(stream, acceptor, connection).await;
            });
        }
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    (store, pace, faults): (Arc<Store>, Arc<Pace>, Arc<Faults>),
) -> Result<()> {
    match acceptor {
        Some(acceptor) => {
            let stream = acceptor.accept(stream).await.context("TLS handshake")?;
            Connection::new(stream, store, pace, faults).serve().await
        }
        None => Connection::new(stream, store, pace, faults).serve().await,
    }
}
