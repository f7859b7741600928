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
use super::options::NullOptions;
use super::pace::Pace;
use super::route::Store;
use super::tls;

/// An endpoint that has an address.
#[derive(Debug)]
pub struct NullEndpoint {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    store: Arc<Store>,
    pace: Arc<Pace>,
}

impl NullEndpoint {
    /// Takes the address.
    pub async fn bind(options: &NullOptions) -> Result<NullEndpoint> {
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listen at {}", options.listen))?;
        let tls = match &options.tls {
            Some(trust) => Some(tls::config(trust)?),
            None => None,
        };
        Ok(NullEndpoint {
            listener,
            tls,
            store: Arc::new(Store::new(options)),
            pace: Arc::new(Pace::new(options)),
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

    /// What it has seen.
    pub fn counters(&self) -> Arc<Counters> {
        self.store.counters.clone()
    }

    /// Takes connections until dropped. Connections that are open then live on with their tasks.
    pub async fn run(self) -> Result<()> {
        loop {
            let (stream, _) = self.listener.accept().await.context("accept")?;
            stream.set_nodelay(true).context("set TCP_NODELAY")?;
            let open = Open::new(self.store.counters.clone());
            let (store, pace) = (self.store.clone(), self.pace.clone());
            let acceptor = self.tls.clone().map(TlsAcceptor::from);
            tasks::spawn("null connection", async move {
                let _open = open;
                // A connection that a client breaks off ends here; the client has its error.
                let _ = serve(stream, acceptor, store, pace).await;
            });
        }
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    store: Arc<Store>,
    pace: Arc<Pace>,
) -> Result<()> {
    match acceptor {
        Some(acceptor) => {
            let stream = acceptor.accept(stream).await.context("TLS handshake")?;
            Connection::new(stream, store, pace).serve().await
        }
        None => Connection::new(stream, store, pace).serve().await,
    }
}
