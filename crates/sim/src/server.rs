//! A store on a free port of this machine, and a way around HTTP into its model.

use std::net::{Ipv4Addr, SocketAddr};

use base::ids::PartNumber;
use base::redact::Secret;
use base::{BucketName, ByteCount, ChecksumAlgorithm, Clock, Key};
use bytes::Bytes;
use front::deviation::Disturbances;
use front::{Account, AnonymousAccess, Counters, Deviation, FrontOptions, Server};
use store::Model;
use store::model::{
    Attributes, ChecksumPlan, CompleteExpectations, CompleteMultipartUpload, CompletedPart,
    CreateMultipartUpload, Declared, ListQuery, ModelOptions, Object, PutObject, ReadConditions,
    Received, Tags, UploadPart, WriteConditions,
};

/// The access key of every test server.
pub const ACCESS_KEY_ID: &str = "TESTACCESSKEY";

/// Its secret.
pub const SECRET_ACCESS_KEY: &str = "test/secret+access=key";

/// The region of every test server's buckets.
pub const REGION: &str = "us-east-1";

/// A store with one account on 127.0.0.1, of the keys above unless the options say others.
///
/// Its model is reached directly too: oracles look at what is really there, whatever HTTP said.
/// Helpers panic on refusal, as tests want it.
#[derive(Debug)]
pub struct TestServer {
    model: Model,
    server: Server,
    account: Account,
}

/// How a test server is to be.
#[derive(Debug, Clone, Default)]
pub struct TestServerOptions {
    /// The model's.
    pub model: ModelOptions,
    /// Whose store it is.
    pub account: Option<Account>,
    /// What unsigned requests may do.
    pub anonymous: AnonymousAccess,
    /// Differences from S3.
    pub deviation: Deviation,
}

impl TestServer {
    /// Starts a store without buckets.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> TestServer {
        TestServer::start_with(TestServerOptions::default()).await
    }

    /// Starts a store that deviates from S3.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start_with(options: TestServerOptions) -> TestServer {
        let model = Model::new(Clock::system(), options.model);
        let account = options.account.unwrap_or_else(|| Account {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret: Secret::new(SECRET_ACCESS_KEY),
        });
        let front = FrontOptions {
            accounts: vec![account.clone()],
            anonymous: options.anonymous,
            region: REGION.to_owned(),
            deviation: options.deviation,
            ..FrontOptions::default()
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(address, model.clone(), front)
            .await
            .expect("a free port on loopback");
        TestServer {
            model,
            server,
            account,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The model behind it.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What was asked so far.
    pub fn counters(&self) -> &Counters {
        self.server.counters()
    }

    /// Failures to come; add to them at any time.
    pub fn disturbances(&self) -> &Disturbances {
        self.server.disturbances()
    }

    /// The environment of a process that is to use this store, and nothing else.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", self.account.access_key_id.clone()),
            (
                "AWS_SECRET_ACCESS_KEY",
                self.account.secret.expose().to_owned(),
            ),
            ("AWS_REGION", REGION.to_owned()),
            ("S3_ENDPOINT_URL", self.endpoint()),
        ]
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str) -> BucketName {
        let bucket = bucket(name);
        self.model
            .create_bucket(&bucket)
            .expect("a test makes a bucket once");
        bucket
    }

    /// Stores an object of one piece.
    pub fn put(&self, bucket_name: &str, key_text: &str, bytes: impl Into<Bytes>) {
        self.put_with(bucket_name, key_text, bytes, Attributes::default());
    }

    /// Stores an object that carries something.
    pub fn put_with(
        &self,
        bucket_name: &str,
        key_text: &str,
        bytes: impl Into<Bytes>,
        attributes: Attributes,
    ) {
        let received = Received::from_bytes(bytes, []);
        let request = PutObject {
            attributes,
            ..PutObject::new(bucket(bucket_name), key(key_text), received)
        };
        self.model.put_object(request).expect("the model takes it");
    }

    /// Stores an object with tags.
    pub fn put_tagged(&self, bucket_name: &str, key_text: &str, tags: &[(&str, &str)]) {
        let pairs = tags
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = PutObject {
            tags: Tags::new(pairs).expect("tags that S3 takes"),
            ..PutObject::new(
                bucket(bucket_name),
                key(key_text),
                Received::from_bytes("tagged", []),
            )
        };
        self.model.put_object(request).expect("the model takes it");
    }

    /// The current object's tags, in order of name.
    pub fn tags(&self, bucket_name: &str, key_text: &str) -> Vec<(String, String)> {
        let object = self.object(bucket_name, key_text);
        let tags = object.iter().flat_map(|object| object.tags.iter());
        tags.map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Stores an object made of parts of `part_size` each, with a full-object CRC-64/NVME.
    pub fn put_multipart(
        &self,
        bucket_name: &str,
        key_text: &str,
        bytes: impl Into<Bytes>,
        part_size: ByteCount,
    ) {
        let (bucket, key) = (bucket(bucket_name), key(key_text));
        let bytes: Bytes = bytes.into();
        let plan = ChecksumPlan::new(ChecksumAlgorithm::Crc64Nvme, None);
        let upload_id = self
            .model
            .create_multipart_upload(CreateMultipartUpload {
                bucket: bucket.clone(),
                key: key.clone(),
                attributes: Attributes::default(),
                tags: Tags::default(),
                plan: Some(plan.expect("CRC-64/NVME has a default type")),
            })
            .expect("the bucket is there");
        let mut parts = Vec::new();
        let part_size = part_size.as_usize().expect("a part fits into memory");
        for (number, start) in (1_u32..).zip((0..bytes.len().max(1)).step_by(part_size)) {
            let end = bytes.len().min(start + part_size);
            let stored = self
                .model
                .upload_part(UploadPart {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    upload_id: upload_id.clone(),
                    part_number: PartNumber::new(number).expect("at most 10,000 parts"),
                    received: Received::from_bytes(bytes.slice(start..end), []),
                    declared: Declared::default(),
                })
                .expect("the upload is there");
            parts.push(CompletedPart {
                part_number: number,
                etag: stored.etag,
                checksums: Vec::new(),
            });
        }
        self.model
            .complete_multipart_upload(CompleteMultipartUpload {
                bucket,
                key,
                upload_id,
                parts,
                expectations: CompleteExpectations::default(),
                conditions: WriteConditions::default(),
            })
            .expect("the parts are large enough");
    }

    /// The current object, if there is one.
    pub fn object(&self, bucket_name: &str, key_text: &str) -> Option<std::sync::Arc<Object>> {
        let found = self.model.get_object(
            &bucket(bucket_name),
            &key(key_text),
            None,
            &ReadConditions::default(),
        );
        found.ok().map(|found| found.object)
    }

    /// The current object's bytes.
    ///
    /// # Panics
    /// When there is no such object.
    pub fn get(&self, bucket_name: &str, key_text: &str) -> Bytes {
        let object = self.object(bucket_name, key_text);
        let object = object.unwrap_or_else(|| panic!("no s3://{bucket_name}/{key_text}"));
        object.body.to_bytes()
    }

    /// All current keys in byte order.
    pub fn keys(&self, bucket_name: &str) -> Vec<String> {
        let whole = ListQuery {
            limit: usize::MAX,
            ..ListQuery::default()
        };
        let page = self.model.list_objects(&bucket(bucket_name), &whole);
        let page = page.expect("the bucket is there");
        let keys = page.items().map(|item| item.key.as_str().to_owned());
        keys.collect()
    }

    /// Ends the server.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }
}

fn bucket(name: &str) -> BucketName {
    BucketName::new(name).expect("a test names its buckets well")
}

fn key(text: &str) -> Key {
    Key::new(text).expect("a test names its keys well")
}
