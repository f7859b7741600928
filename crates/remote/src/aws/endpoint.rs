//! Where a bucket is spoken to: scheme, host, style and region, and what was learnt about them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{BucketName, Key};
use http::HeaderValue;
use parking_lot::RwLock;

use super::authority::{Authority, InvalidEndpoint, default_port, is_region};
use super::encode;
use super::options::Addressing;
use crate::error::Operation;

/// Buckets whose place is kept. A client meets few; past this all are worked out again.
const PLACES_MAX: usize = 1_024;

/// Where one bucket (or the service itself) is spoken to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) authority: Authority,
    /// `Host`.
    pub(super) host_header: HeaderValue,
    /// What stands before `/key`: empty, `/bucket`, or the endpoint's own path before either.
    pub(super) path_prefix: String,
    /// Region to sign for.
    pub(super) region: Arc<str>,
    /// Whether the bucket is named in the path.
    pub(super) path_style: bool,
}

/// The endpoint of one client, with everything learnt about its buckets.
#[derive(Debug)]
pub(super) struct Endpoint {
    kind: Kind,
    addressing: Addressing,
    region: Arc<str>,
    /// Learnt: the store refuses path style.
    refuses_path_style: AtomicBool,
    places: RwLock<HashMap<Option<BucketName>, Arc<Place>>>,
    learnt: RwLock<HashMap<Option<BucketName>, Learnt>>,
}

#[derive(Debug)]
enum Kind {
    /// AWS's own endpoints, one for each region.
    Aws { tls: bool, accelerate: bool },
    /// One that was named.
    Custom {
        authority: Authority,
        path: String,
        /// Whether AWS runs it.
        aws: bool,
    },
}

#[derive(Debug, Clone, Default)]
struct Learnt {
    region: Option<Arc<str>>,
    authority: Option<Authority>,
}

impl Endpoint {
    /// `url` none means AWS's own.
    pub(super) fn new(
        url: Option<&str>,
        region: &str,
        addressing: Addressing,
        accelerate: bool,
    ) -> Result<Endpoint, InvalidEndpoint> {
        let aws = Kind::Aws {
            tls: true,
            accelerate,
        };
        let kind = match url {
            None => aws,
            Some(url) => {
                let (authority, path) = Authority::parse(url)?;
                match authority.host.as_str() {
                    // s5cmd takes this endpoint as the wish for acceleration.
                    "s3-accelerate.amazonaws.com" => Kind::Aws {
                        tls: authority.tls,
                        accelerate: true,
                    },
                    // AWS's global names stand for the region's own.
                    "s3.amazonaws.com" => Kind::Aws {
                        tls: authority.tls,
                        accelerate,
                    },
                    host => {
                        let aws =
                            host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
                        Kind::Custom {
                            authority,
                            path,
                            aws,
                        }
                    }
                }
            }
        };
        Ok(Endpoint {
            kind,
            addressing,
            region: Arc::from(region),
            refuses_path_style: AtomicBool::new(false),
            places: RwLock::default(),
            learnt: RwLock::default(),
        })
    }

    /// Whether AWS answers: then checksums are taken for certain.
    pub(super) fn is_aws(&self) -> bool {
        match &self.kind {
            Kind::Aws { .. } => true,
            Kind::Custom { aws, .. } => *aws,
        }
    }

    /// The region of a bucket nothing was learnt about.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// `https://host[:port]`, for people and for comparing.
    pub(super) fn url(&self) -> String {
        match &self.kind {
            Kind::Aws { tls, .. } => aws_authority(*tls, &self.region).url(),
            Kind::Custom {
                authority, path, ..
            } => authority.url() + path,
        }
    }

    /// Where `bucket` is spoken to now.
    pub(super) fn place(&self, bucket: Option<&BucketName>, operation: Operation) -> Arc<Place> {
        if self.accelerates(operation)
            && let Some(bucket) = bucket.filter(|bucket| names_a_host(bucket, true))
        {
            return Arc::new(self.accelerated(bucket));
        }
        let bucket_key = bucket.cloned();
        if let Some(place) = self.places.read().get(&bucket_key) {
            return Arc::clone(place);
        }
        let place = Arc::new(self.work_out(bucket));
        let mut places = self.places.write();
        if places.len() >= PLACES_MAX {
            places.clear();
        }
        places.insert(bucket_key, Arc::clone(&place));
        place
    }

    fn accelerates(&self, operation: Operation) -> bool {
        let asked = matches!(
            self.kind,
            Kind::Aws {
                accelerate: true,
                ..
            }
        );
        // Source: S3 user guide, "Configuring fast, secure file transfers", which excludes these.
        asked
            && !matches!(
                operation,
                Operation::ListBuckets | Operation::CreateBucket | Operation::DeleteBucket
            )
    }

    fn accelerated(&self, bucket: &BucketName) -> Place {
        let region = self.region_of(Some(bucket));
        let authority = Authority {
            tls: true,
            host: format!("{bucket}.s3-accelerate.amazonaws.com"),
            port: 443,
        };
        Place::new(authority, String::new(), region, false)
    }

    fn region_of(&self, bucket: Option<&BucketName>) -> Arc<str> {
        let learnt = self.learnt_of(bucket);
        learnt.region.unwrap_or_else(|| Arc::clone(&self.region))
    }

    fn learnt_of(&self, bucket: Option<&BucketName>) -> Learnt {
        let learnt = self.learnt.read();
        learnt.get(&bucket.cloned()).cloned().unwrap_or_default()
    }

    fn work_out(&self, bucket: Option<&BucketName>) -> Place {
        let region = self.region_of(bucket);
        let redirected = self.learnt_of(bucket).authority;
        let Some(bucket) = bucket else {
            let (authority, path) = self.service(&region);
            return Place::new(redirected.unwrap_or(authority), path, region, true);
        };
        let (service, mut path) = self.service(&region);
        if let Some(authority) = redirected {
            let in_host = authority
                .host
                .strip_prefix(bucket.as_str())
                .is_some_and(|rest| rest.starts_with('.'));
            if !in_host {
                path.push('/');
                encode::push_path(&mut path, bucket.as_str());
            }
            return Place::new(authority, path, region, !in_host);
        }
        if self.in_host(bucket, &service) {
            let authority = Authority {
                host: format!("{bucket}.{}", service.host),
                ..service
            };
            Place::new(authority, path, region, false)
        } else {
            path.push('/');
            encode::push_path(&mut path, bucket.as_str());
            Place::new(service, path, region, true)
        }
    }

    fn service(&self, region: &str) -> (Authority, String) {
        match &self.kind {
            Kind::Aws { tls, .. } => (aws_authority(*tls, region), String::new()),
            Kind::Custom {
                authority, path, ..
            } => (authority.clone(), path.clone()),
        }
    }

    fn in_host(&self, bucket: &BucketName, service: &Authority) -> bool {
        let possible =
            names_a_host(bucket, service.tls) && service.host.parse::<std::net::IpAddr>().is_err();
        possible
            && match self.addressing {
                Addressing::Path => false,
                Addressing::VirtualHost => true,
                Addressing::Automatic => {
                    matches!(self.kind, Kind::Aws { .. })
                        || self.refuses_path_style.load(Ordering::Relaxed)
                }
            }
    }

    /// Remembers a bucket's region. Whether that is news.
    pub(super) fn learn_region(&self, bucket: Option<&BucketName>, region: &str) -> bool {
        if !is_region(region) || *self.region_of(bucket) == *region {
            return false;
        }
        let learnt = Learnt {
            region: Some(Arc::from(region)),
            authority: None,
        };
        self.learnt.write().insert(bucket.cloned(), learnt);
        self.places.write().remove(&bucket.cloned());
        true
    }

    /// Remembers that a bucket answers elsewhere. Whether that is news. TLS is never given up.
    pub(super) fn learn_authority(
        &self,
        bucket: Option<&BucketName>,
        authority: Authority,
    ) -> bool {
        let now = self.place(bucket, Operation::ListBuckets);
        if now.authority == authority || (now.authority.tls && !authority.tls) {
            return false;
        }
        let mut learnt = self.learnt.write();
        learnt.entry(bucket.cloned()).or_default().authority = Some(authority);
        drop(learnt);
        self.places.write().remove(&bucket.cloned());
        true
    }

    /// Remembers that the store wants the bucket in the host. Whether that is news.
    pub(super) fn learn_virtual_host(&self) -> bool {
        let news = self.addressing == Addressing::Automatic
            && !self.refuses_path_style.swap(true, Ordering::Relaxed);
        if news {
            self.places.write().clear();
        }
        news
    }
}

impl Place {
    /// The encoded path of a key, or of the bucket or service itself.
    pub(super) fn path_of(&self, key: Option<&Key>) -> String {
        let key_length = key.map_or(0, |key| key.as_str().len() + 16);
        let mut path = String::with_capacity(self.path_prefix.len() + key_length + 1);
        path.push_str(&self.path_prefix);
        if let Some(key) = key {
            path.push('/');
            encode::push_path(&mut path, key.as_str());
        } else if path.is_empty() {
            path.push('/');
        }
        path
    }

    fn new(authority: Authority, path_prefix: String, region: Arc<str>, path_style: bool) -> Place {
        let host_header = HeaderValue::from_str(&authority.host_and_port())
            .expect("hosts are checked where they come in");
        Place {
            authority,
            host_header,
            path_prefix,
            region,
            path_style,
        }
    }
}

/// AWS's endpoint of a region; China's regions are a partition of their own.
/// Source: S3 general reference, "Amazon S3 endpoints and quotas" (read 2026-11).
fn aws_authority(tls: bool, region: &str) -> Authority {
    let region = if region == "aws-global" {
        "us-east-1"
    } else {
        region
    };
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    Authority {
        tls,
        host: format!("s3.{region}.{suffix}"),
        port: default_port(tls),
    }
}

/// Whether a bucket's name can be the first label of a host. A dot would break the wildcard
/// certificate.
/// Source: S3 user guide, "Bucket naming rules" (read 2026-11).
fn names_a_host(bucket: &BucketName, tls: bool) -> bool {
    let name = bucket.as_str();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    (3..=63).contains(&name.len())
        && edge(name.as_bytes().first())
        && edge(name.as_bytes().last())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || byte == b'-'
                || (byte == b'.' && !tls)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> BucketName {
        BucketName::new(name).unwrap()
    }

    fn place_of(url: Option<&str>, region: &str, name: &str) -> (String, String) {
        let endpoint = Endpoint::new(url, region, Addressing::Automatic, false).unwrap();
        let place = endpoint.place(Some(&bucket(name)), Operation::GetObject);
        (place.authority.url(), place.path_prefix.clone())
    }

    #[test]
    fn the_style_follows_endpoint_and_bucket() {
        let cases = [
            (
                None,
                "us-east-1",
                "photos",
                "https://photos.s3.us-east-1.amazonaws.com",
                "",
            ),
            (
                None,
                "us-east-1",
                "my.photos",
                "https://s3.us-east-1.amazonaws.com",
                "/my.photos",
            ),
            (
                None,
                "us-east-1",
                "Old_Name",
                "https://s3.us-east-1.amazonaws.com",
                "/Old_Name",
            ),
            (
                None,
                "cn-north-1",
                "photos",
                "https://photos.s3.cn-north-1.amazonaws.com.cn",
                "",
            ),
            (
                Some("http://127.0.0.1:9000"),
                "x",
                "photos",
                "http://127.0.0.1:9000",
                "/photos",
            ),
            (
                Some("http://[::1]:9000/"),
                "x",
                "photos",
                "http://[::1]:9000",
                "/photos",
            ),
            (
                Some("https://Store.example:443"),
                "x",
                "b-1",
                "https://store.example",
                "/b-1",
            ),
            (
                Some("https://h/s3/"),
                "x",
                "photos",
                "https://h",
                "/s3/photos",
            ),
            (
                Some("https://s3.amazonaws.com"),
                "eu-west-1",
                "photos",
                "https://photos.s3.eu-west-1.amazonaws.com",
                "",
            ),
        ];
        for (url, region, name, host, prefix) in cases {
            let expected = (host.to_owned(), prefix.to_owned());
            assert_eq!(place_of(url, region, name), expected, "{url:?} {name}");
        }
    }

    #[test]
    fn what_is_learnt_changes_the_place() {
        let endpoint = Endpoint::new(None, "us-east-1", Addressing::Automatic, false).unwrap();
        let photos = bucket("photos");
        assert!(endpoint.learn_region(Some(&photos), "eu-west-1"));
        assert!(!endpoint.learn_region(Some(&photos), "eu-west-1"));
        assert!(!endpoint.learn_region(Some(&photos), "evil\r\nheader: x"));
        let place = endpoint.place(Some(&photos), Operation::GetObject);
        assert_eq!(place.authority.host, "photos.s3.eu-west-1.amazonaws.com");
        assert_eq!(&*place.region, "eu-west-1");
        let other = endpoint.place(Some(&bucket("other")), Operation::GetObject);
        assert_eq!(&*other.region, "us-east-1");

        let custom = "https://oss-cn-hangzhou.aliyuncs.com";
        let endpoint = Endpoint::new(Some(custom), "x", Addressing::Automatic, false).unwrap();
        assert!(
            endpoint
                .place(Some(&photos), Operation::GetObject)
                .path_style
        );
        assert!(endpoint.learn_virtual_host());
        assert!(!endpoint.learn_virtual_host());
        let place = endpoint.place(Some(&photos), Operation::GetObject);
        assert_eq!(place.authority.host, "photos.oss-cn-hangzhou.aliyuncs.com");
    }

    #[test]
    fn redirects_are_followed_but_never_out_of_tls() {
        let endpoint = Endpoint::new(Some("https://h"), "x", Addressing::Automatic, false).unwrap();
        let photos = bucket("photos");
        let (plain, _) = Authority::parse("http://other").unwrap();
        assert!(!endpoint.learn_authority(Some(&photos), plain));
        let (other, _) = Authority::parse("https://photos.other:444/photos").unwrap();
        assert!(endpoint.learn_authority(Some(&photos), other.clone()));
        let place = endpoint.place(Some(&photos), Operation::GetObject);
        assert_eq!((place.authority.clone(), place.path_style), (other, false));
    }

    #[test]
    fn acceleration_is_for_buckets_that_can_have_it() {
        let endpoint = Endpoint::new(None, "us-east-1", Addressing::Automatic, true).unwrap();
        let host = |name: &str, operation| {
            let place = endpoint.place(Some(&bucket(name)), operation);
            place.authority.host.clone()
        };
        assert_eq!(
            host("photos", Operation::PutObject),
            "photos.s3-accelerate.amazonaws.com"
        );
        assert_eq!(
            host("my.photos", Operation::PutObject),
            "s3.us-east-1.amazonaws.com"
        );
        assert_eq!(
            host("photos", Operation::CreateBucket),
            "photos.s3.us-east-1.amazonaws.com"
        );
    }
}
