//! Which proxy stands between us and a store.

use std::fmt;
use std::net::IpAddr;

use base::redact::RedactedUrl;

/// Proxies by scheme, and the hosts that are reached without one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// For `http` endpoints: `http://[user:password@]host[:port]`.
    pub http: Option<String>,
    /// For `https` endpoints: reached by CONNECT through this one.
    pub https: Option<String>,
    /// For both, where the one above is none.
    pub all: Option<String>,
    /// Comma-separated hosts that go direct, as this machine itself always does: `*`, `host`, `.domain`, `domain` (with everything
    /// below it), IP addresses, `10.0.0.0/8`, each with an optional `:port`.
    pub none_for: String,
}

impl ProxySettings {
    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in lower case first, as
    /// curl reads them. An empty value is none.
    pub fn from_environment() -> ProxySettings {
        ProxySettings::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> ProxySettings {
        let read = |lower: &str| {
            lookup(lower)
                .filter(|value| !value.is_empty())
                .or_else(|| lookup(&lower.to_ascii_uppercase()).filter(|value| !value.is_empty()))
        };
        ProxySettings {
            http: read("http_proxy"),
            https: read("https_proxy"),
            all: read("all_proxy"),
            none_for: read("no_proxy").unwrap_or_default(),
        }
    }

    /// The proxy for a host, or none.
    pub(super) fn choose(
        &self,
        tls: bool,
        host: &str,
        port: u16,
    ) -> Result<Option<Proxy>, InvalidProxy> {
        let url = if tls { &self.https } else { &self.http };
        match url.as_ref().or(self.all.as_ref()) {
            Some(url) if !self.goes_direct(host, port) => Proxy::parse(url).map(Some),
            _ => Ok(None),
        }
    }

    fn goes_direct(&self, host: &str, port: u16) -> bool {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        // As Go's programs, s5cmd among them: this machine is never reached by a proxy.
        let is_loopback = host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if is_loopback {
            return true;
        }
        self.none_for
            .split([',', ' '])
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .any(|rule| rule_covers(&rule.to_ascii_lowercase(), &host, port))
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted =
            |url: &Option<String>| url.as_deref().map(|url| RedactedUrl(url).to_string());
        f.debug_struct("ProxySettings")
            .field("http", &redacted(&self.http))
            .field("https", &redacted(&self.https))
            .field("all", &redacted(&self.all))
            .field("none_for", &self.none_for)
            .finish()
    }
}

/// Whether one rule of NO_PROXY, in lower case, covers the host.
fn rule_covers(rule: &str, host: &str, port: u16) -> bool {
    if rule == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return address_rule_covers(rule, address, port);
    }
    let (name, rule_port) = match rule.rsplit_once(':') {
        Some((name, digits)) => match digits.parse::<u16>() {
            Ok(rule_port) => (name, Some(rule_port)),
            Err(_) => (rule, None),
        },
        None => (rule, None),
    };
    if rule_port.is_some_and(|rule_port| rule_port != port) {
        return false;
    }
    let name = name.trim_start_matches('*').trim_start_matches('.');
    match host.strip_suffix(name) {
        _ if name.is_empty() => false,
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

fn address_rule_covers(rule: &str, address: IpAddr, port: u16) -> bool {
    if let Ok(socket) = rule.parse::<std::net::SocketAddr>() {
        return socket.ip() == address && socket.port() == port;
    }
    let plain = rule.trim_start_matches('[').trim_end_matches(']');
    if let Ok(other) = plain.parse::<IpAddr>() {
        return other == address;
    }
    let Some((network, bits)) = rule.split_once('/') else {
        return false;
    };
    let Ok(bits) = bits.parse::<u32>() else {
        return false;
    };
    match (network.parse::<IpAddr>(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

/// Why a proxy's URL is refused. Does not repeat the URL, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    /// Only proxies spoken to in plain HTTP are known.
    #[error("proxy scheme \"{0}\" is not supported: write http://host:port")]
    Scheme(String),
    /// No host, or a port that is none.
    #[error("a proxy's address is no host and port: write http://host:port")]
    Address,
}

/// One proxy, taken apart. Equal proxies share connections.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// Value of `Proxy-Authorization`, where the URL holds a user.
    pub(super) authorization: Option<String>,
}

impl Proxy {
    fn parse(url: &str) -> Result<Proxy, InvalidProxy> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(InvalidProxy::Scheme(scheme.to_owned()));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let (host, port) = super::address::split_host_port(address).ok_or(InvalidProxy::Address)?;
        let authorization = user.map(|user| {
            use base64::Engine as _;
            let decoded: Vec<u8> = percent_encoding::percent_decode_str(user).collect();
            let encoded = base64::engine::general_purpose::STANDARD.encode(decoded);
            format!("Basic {encoded}")
        });
        Ok(Proxy {
            host: host.to_owned(),
            // curl's default for a proxy without a port is 1080, everybody else's is the scheme's.
            port: port.unwrap_or(80),
            authorization,
        })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(none_for: &str) -> ProxySettings {
        ProxySettings {
            http: Some("http://plain:3128".to_owned()),
            https: Some("http://us%65r:p%40ss@secure".to_owned()),
            all: None,
            none_for: none_for.to_owned(),
        }
    }

    #[test]
    fn the_scheme_chooses_the_proxy() {
        let settings = settings("");
        let plain = settings.choose(false, "s3.example", 80).unwrap().unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("plain", 3128));
        let secure = settings.choose(true, "s3.example", 443).unwrap().unwrap();
        assert_eq!((secure.host.as_str(), secure.port), ("secure", 80));
        // base64 of "user:p@ss".
        assert_eq!(secure.authorization.as_deref(), Some("Basic dXNlcjpwQHNz"));
    }

    #[test]
    fn no_proxy_knows_suffixes_addresses_networks_ports_and_the_star() {
        let direct = |rules: &str, host: &str, port| {
            settings(rules).choose(false, host, port).unwrap().is_none()
        };
        assert!(direct("*", "anything", 80));
        assert!(direct("example.com", "a.example.com", 80));
        assert!(direct(".example.com", "a.example.com", 80));
        assert!(direct("*.example.com", "A.Example.com", 80));
        assert!(direct("example.com", "example.com", 80));
        assert!(!direct("example.com", "badexample.com", 80));
        assert!(!direct("example.com:81", "example.com", 80));
        assert!(direct("x, 10.1.2.3", "10.1.2.3", 9000));
        assert!(direct("10.0.0.0/8", "10.200.1.1", 9000));
        assert!(!direct("10.0.0.0/8", "11.0.0.1", 9000));
        assert!(direct("fd00::1", "[fd00::1]", 9000));
        assert!(!direct("0.1.2.3", "10.1.2.3", 9000));
        assert!(direct("", "localhost", 9000) && direct("", "127.0.0.2", 9000));
        assert!(!direct("", "example.com", 80));
    }

    #[test]
    fn lower_case_names_win_and_empty_values_are_none() {
        let settings = ProxySettings::from_lookup(|name| match name {
            "http_proxy" => Some("http://lower".to_owned()),
            "HTTP_PROXY" => Some("http://upper".to_owned()),
            "https_proxy" => Some(String::new()),
            "ALL_PROXY" => Some("http://all".to_owned()),
            _ => None,
        });
        assert_eq!(settings.http.as_deref(), Some("http://lower"));
        assert_eq!(settings.https, None);
        let chosen = settings.choose(true, "h", 443).unwrap().unwrap();
        assert_eq!(chosen.host, "all");
    }

    #[test]
    fn proxies_that_are_none_are_refused_without_their_password() {
        let settings = ProxySettings {
            http: Some("socks5://user:hunter2@h:1".to_owned()),
            ..ProxySettings::default()
        };
        let refused = settings.choose(false, "h", 80).unwrap_err();
        assert_eq!(refused, InvalidProxy::Scheme("socks5".to_owned()));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
