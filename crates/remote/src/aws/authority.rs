//! Scheme, host and port, and what AWS's host names say.

use super::address::split_host_port;

/// Scheme, host and port: whom a connection speaks to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Authority {
    pub(super) tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Authority {
    /// `host` or `host:port` as `Host` has it: the scheme's own port is left out.
    pub(super) fn host_and_port(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == default_port(self.tls) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// `https://host[:port]`.
    pub(super) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.host_and_port())
    }

    /// Takes `http[s]://host[:port][/path]` apart. The path is without its last slash.
    pub(super) fn parse(url: &str) -> Result<(Authority, String), InvalidEndpoint> {
        let invalid = || InvalidEndpoint(base::redact::RedactedUrl(url).to_string());
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(invalid)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(invalid()),
        };
        let (address, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        if path.contains(['?', '#']) || path.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(invalid());
        }
        let (host, port) = split_host_port(address).ok_or_else(invalid)?;
        let authority = Authority {
            tls,
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(default_port(tls)),
        };
        Ok((authority, path.trim_end_matches('/').to_owned()))
    }
}

/// Why an endpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no endpoint: write http://host[:port] or https://host[:port]")]
pub(super) struct InvalidEndpoint(String);

/// The scheme's own port.
pub(super) fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

/// Whether a text can be a region: it becomes part of headers and hosts.
pub(super) fn is_region(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The region in one of AWS's host names: `bucket.s3-eu-west-1.amazonaws.com`,
/// `s3.eu-west-1.amazonaws.com`, `s3.amazonaws.com`.
pub(super) fn region_of_host(host: &str) -> Option<&str> {
    let rest = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let labels_after_s3 = match rest.rfind("s3") {
        Some(at) if at == 0 || rest.as_bytes()[at - 1] == b'.' => &rest[at + 2..],
        _ => return None,
    };
    match labels_after_s3.trim_start_matches(['.', '-']) {
        "" | "external-1" => Some("us-east-1"),
        region if region.contains('.') || region == "accelerate" => None,
        region => Some(region),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_from_hosts() {
        for (host, region) in [
            ("photos.s3-eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("photos.s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("s3.amazonaws.com", Some("us-east-1")),
            ("photos.s3-accelerate.amazonaws.com", None),
            ("s3.example.com", None),
            ("ends3.amazonaws.com", None),
        ] {
            assert_eq!(region_of_host(host), region, "{host}");
        }
    }

    #[test]
    fn endpoints_that_are_none_are_refused_without_their_password() {
        for bad in ["store", "ftp://h", "http://", "http://h/?x", "http://h:x"] {
            assert!(Authority::parse(bad).is_err(), "{bad}");
        }
        let refused = Authority::parse("https://user:hunter2@").unwrap_err();
        assert!(!refused.to_string().contains("hunter2"));
    }
}
