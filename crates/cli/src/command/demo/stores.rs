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

/// The partner's account, and ours: neither store knows the other's. Both are made for this run
/// alone.
const PARTNER_KEY_ID: &str = "PARTNER";
const OUR_KEY_ID: &str = "OURS";

/// Two stores that listen, each with an account of its own, and clients that reach them.
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
    partner_server: Server,
    our_server: Server,
    partner_secret: Secret,
    our_secret: Secret,
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
        let partner_secret = secret(clock);
        let our_secret = secret(clock);
        let (partner_model, partner) =
            start_one(clock, PARTNER_KEY_ID, &partner_secret, &partner_bucket()).await?;
        let (_, ours) = start_one(clock, OUR_KEY_ID, &our_secret, &our_bucket()).await?;
        Ok(Stores {
            partner: partner.address(),
            ours: ours.address(),
            partner_client: client(partner.address(), PARTNER_KEY_ID, &partner_secret).await?,
            our_client: client(ours.address(), OUR_KEY_ID, &our_secret).await?,
            partner_model,
            partner_server: partner,
            our_server: ours,
            partner_secret,
            our_secret,
        })
    }

    /// What a process must find in its environment to reach both, each by its own account.
    pub(super) fn environment(&self) -> [(&'static str, String); 6] {
        [
            (
                "LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID",
                PARTNER_KEY_ID.to_owned(),
            ),
            (
                "LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY",
                self.partner_secret.expose().to_owned(),
            ),
            (
                "LONGHAUL_SOURCE_AWS_ENDPOINT_URL",
                format!("http://{}", self.partner),
            ),
            (
                "LONGHAUL_DESTINATION_AWS_ACCESS_KEY_ID",
                OUR_KEY_ID.to_owned(),
            ),
            (
                "LONGHAUL_DESTINATION_AWS_SECRET_ACCESS_KEY",
                self.our_secret.expose().to_owned(),
            ),
            (
                "LONGHAUL_DESTINATION_AWS_ENDPOINT_URL",
                format!("http://{}", self.ours),
            ),
        ]
    }

    /// The partner's server, to withdraw a permission.
    pub(super) fn partner_server(&self) -> &Server {
        &self.partner_server
    }

    /// Our server, to count what reaches it.
    pub(super) fn our_server(&self) -> &Server {
        &self.our_server
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
        self.partner_server.shutdown().await;
        self.our_server.shutdown().await;
    }
}

fn secret(clock: &Clock) -> Secret {
    let (one, other) = (clock.random_u64(), clock.random_u64());
    Secret::new(format!("{one:016x}{other:016x}"))
}

async fn start_one(
    clock: &Clock,
    access_key_id: &str,
    secret: &Secret,
    bucket: &BucketName,
) -> Result<(Model, Server)> {
    let model = Model::new(clock.clone(), ModelOptions::default());
    model
        .create_bucket(bucket)
        .context("make a bucket in an empty store")?;
    let account = Account {
        access_key_id: access_key_id.to_owned(),
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

async fn client(
    address: SocketAddr,
    access_key_id: &str,
    secret: &Secret,
) -> Result<Arc<dyn ObjectClient>> {
    let credentials = StaticCredentials::new(access_key_id, secret.expose());
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
