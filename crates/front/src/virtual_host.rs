//! Buckets named by the host.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// A domain below which every name is a bucket. All other hosts are addressed by path: they are
/// the same server by another name.
#[derive(Debug, Clone)]
pub(crate) struct Domain(String);

impl Domain {
    /// Takes the domain without a port: ports do not matter.
    pub(crate) fn new(name: &str) -> Domain {
        Domain(name.to_ascii_lowercase())
    }

    /// The bucket that a `Host` header names.
    pub(crate) fn bucket<'a>(&self, host: &'a str) -> Option<&'a str> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let above = name.len().checked_sub(self.0.len())?;
        let (bucket, domain) = name.split_at_checked(above)?;
        let bucket = bucket.strip_suffix('.')?;
        (domain.eq_ignore_ascii_case(&self.0) && !bucket.is_empty()).then_some(bucket)
    }
}

impl S3Host for Domain {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(self.0.as_str());
        Ok(match self.bucket(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_the_domain_are_buckets() {
        let domain = Domain::new("s3.Test");
        assert_eq!(domain.bucket("bucket.s3.test"), Some("bucket"));
        assert_eq!(
            domain.bucket("dotted.bucket.S3.TEST:9000"),
            Some("dotted.bucket")
        );
        assert_eq!(domain.bucket("s3.test"), None);
        assert_eq!(domain.bucket(".s3.test"), None);
        assert_eq!(domain.bucket("others3.test"), None);
        assert_eq!(domain.bucket("localhost:9000"), None);
        assert_eq!(domain.bucket("[::1]:9000"), None);
        assert_eq!(domain.bucket(""), None);
    }
}
