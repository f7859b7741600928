//! Host and port, taken apart.

/// Splits `host`, `host:port`, `[v6]`, `[v6]:port`. The brackets are left out of the host.
/// None where that is no address.
pub(super) fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => match text.find(':') {
            Some(colon) => text.split_at(colon),
            None => (text, ""),
        },
    };
    let valid = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:%".contains(&byte));
    if !valid {
        return None;
    }
    match rest.strip_prefix(':') {
        Some(digits) => Some((host, Some(digits.parse().ok()?))),
        None if rest.is_empty() => Some((host, None)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_apart() {
        assert_eq!(split_host_port("h"), Some(("h", None)));
        assert_eq!(split_host_port("h:80"), Some(("h", Some(80))));
        assert_eq!(split_host_port("[::1]:80"), Some(("::1", Some(80))));
        assert_eq!(split_host_port("[::1]"), Some(("::1", None)));
        for bad in [
            "", ":80", "h:", "h:x", "h:99999", "a b", "[::1", "[::1]x", "h/k",
        ] {
            assert_eq!(split_host_port(bad), None, "{bad}");
        }
    }
}
