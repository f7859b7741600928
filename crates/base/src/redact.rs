//! Keeping secrets out of logs and errors.

use std::fmt;

/// A secret that never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for signing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Query parameters whose values give access to whoever holds them.
const SECRET_PARAMETERS: [&str; 4] = [
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "signature",
];

/// Prints a URL without what would let a reader use it: user info and signatures are starred out.
#[derive(Clone, Copy)]
pub struct RedactedUrl<'a>(pub &'a str);

impl fmt::Display for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, query) = match self.0.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (self.0, None),
        };
        match address.split_once("://") {
            Some((scheme, rest)) => {
                let authority_end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(authority_end);
                match authority.rsplit_once('@') {
                    Some((_, host)) => write!(f, "{scheme}://***@{host}{path}")?,
                    None => write!(f, "{scheme}://{authority}{path}")?,
                }
            }
            None => f.write_str(address)?,
        }
        let Some(query) = query else { return Ok(()) };
        for (index, pair) in query.split('&').enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((name, _))
                    if SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) =>
                {
                    write!(f, "{name}=***")?;
                }
                _ => f.write_str(pair)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_and_passwords_are_starred_out() {
        let url =
            "http://user:pw@proxy:80/b/k?X-Amz-Date=1&X-Amz-Signature=abc&X-Amz-Credential=AK";
        assert_eq!(
            RedactedUrl(url).to_string(),
            "http://***@proxy:80/b/k?X-Amz-Date=1&X-Amz-Signature=***&X-Amz-Credential=***"
        );
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(***)");
    }
}
