//! The two stores of the demo and how they are reached.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base::redact::Secret;
use base::{BucketName, Clock, Key};
use front::{Account, FrontOptions, Server};
use mover::compare::Comparator;
use mover::filter::Filter;
use mover::job::sync::SyncJob;
use mover::options::TransferOptions;
use mover::source::Source;
use mover::url::{S3Url, Target};
use remote::ObjectClient;
use remote::aws::{AwsClient, AwsOptions, CredentialsSource, StaticCredentials};
use store::Model;
use store::model::{Intake, ModelOptions, PutObject};

use super::goods::Goods;

/// The one account, made for this run alone.
const ACCESS_KEY_ID: &str = "DEMO";

/// Two stores that listen, and clients that reach them.
pub(super) struct Stores {
    /// The partner's address.
    pub(super) partner: SocketAddr,
    /// Our address.
    pub(super) ours: SocketAddr,
    /// A client of the partner's store.
    pub(super) partner_client: Arc<dyn ObjectClient>,
    /// A client of our store.
    pub(super) our_client: Arc<dyn ObjectClient>,
    partner_model: Model,
    servers: [Server; 2],
}

/// The partner's bucket.
pub(super) fn partner_bucket() -> BucketName {
    BucketName::new("partner").expect("a plain name")
}

/// Our bucket.
pub(super) fn our_bucket() -> BucketName {
    BucketName::new("ours").expect("a plain name")
}

impl Stores {
    /// Starts both on free ports of loopback, each with its bucket.
    pub(super) async fn start(clock: &Clock) -> Result<Stores> {
        let secret = Secret::new(format!(
            "{:016x}{:016x}",
            clock.random_u64(),
            clock.random_u64()
        ));
        let (partner_model, partner) = start_one(clock, &secret, &partner_bucket()).await?;
        let (_, ours) = start_one(clock, &secret, &our_bucket()).await?;
        Ok(Stores {
            partner: partner.address(),
            ours: ours.address(),
            partner_client: client(partner.address(), &secret).await?,
            our_client: client(ours.address(), &secret).await?,
            partner_model,
            servers: [partner, ours],
        })
    }

    /// Lays the goods into the partner's store.
    pub(super) fn fill_partner(&self, goods: &Goods) -> Result<()> {
        for item in &goods.items {
            let mut intake = Intake::new([]);
            for piece in &item.pieces {
                intake.push(piece.clone());
            }
            let key = Key::new(item.key.as_str())?;
            self.partner_model
                .put_object(PutObject::new(partner_bucket(), key, intake.finish()))
                .with_context(|| format!("lay {:?} into the partner's store", item.key))?;
        }
        Ok(())
    }

    /// `sync 's3://partner/*' FOLDER`
    pub(super) fn collect(&self, folder: &Path) -> SyncJob {
        let everything = S3Url {
            bucket: partner_bucket(),
            path: "*".to_owned(),
        };
        sync(
            Target::Remote(everything),
            Target::Local(with_slash(folder)),
        )
    }

    /// `sync FOLDER/ s3://ours/`
    pub(super) fn deliver(&self, folder: &Path) -> SyncJob {
        let root = S3Url {
            bucket: our_bucket(),
            path: String::new(),
        };
        sync(Target::Local(with_slash(folder)), Target::Remote(root))
    }

    /// Ends both.
    pub(super) async fn stop(self) {
        for server in self.servers {
            server.shutdown().await;
        }
    }
}

async fn start_one(clock: &Clock, secret: &Secret, bucket: &BucketName) -> Result<(Model, Server)> {
    let model = Model::new(clock.clone(), ModelOptions::default());
    model
        .create_bucket(bucket)
        .context("make a bucket in an empty store")?;
    let account = Account {
        access_key_id: ACCESS_KEY_ID.to_owned(),
        secret: secret.clone(),
    };
    let options = FrontOptions {
        accounts: vec![account],
        clock: clock.clone(),
        ..FrontOptions::default()
    };
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), model.clone(), options)
        .await
        .context("listen on a port of loopback")?;
    Ok((model, server))
}

async fn client(address: SocketAddr, secret: &Secret) -> Result<Arc<dyn ObjectClient>> {
    let credentials = StaticCredentials::new(ACCESS_KEY_ID, secret.expose());
    let options = AwsOptions {
        endpoint_url: Some(format!("http://{address}")),
        credentials: CredentialsSource::Static(credentials),
        ..AwsOptions::default()
    };
    Ok(Arc::new(AwsClient::new(options).await?))
}

fn sync(source: Target, destination: Target) -> SyncJob {
    SyncJob {
        source: Source::new(source),
        destination,
        filter: Filter::default(),
        comparator: Comparator::Default,
        delete: false,
        max_delete: None,
        allow_empty_source: false,
        exit_on_error: false,
        options: TransferOptions::default(),
    }
}

/// A folder's path with a slash behind it: its contents are meant, not itself.
fn with_slash(folder: &Path) -> std::path::PathBuf {
    folder.join("")
}
