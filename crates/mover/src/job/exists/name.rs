//! From a name as people give it to a key of the bucket.

use base::{BucketName, Key};

use crate::error::{Error, Result};
use crate::url::S3Url;

/// The key that `name` means: itself, or the path of a URL of the same bucket unless `raw`. It must
/// begin with `prefix`.
pub(super) fn key_of(name: &str, bucket: &BucketName, prefix: &str, raw: bool) -> Result<Key> {
    let refuse = |reason: String| Error::Name {
        name: name.to_owned(),
        reason,
    };
    let text = if name.starts_with("s3://") && !raw {
        let url = S3Url::parse(name).map_err(|error| refuse(format!("is no URL: {error}")))?;
        if url.bucket != *bucket {
            return Err(refuse(format!("is not in s3://{bucket}")));
        }
        url.path
    } else {
        name.to_owned()
    };
    let key = Key::new(text).map_err(|error| refuse(format!("names no object: {error}")))?;
    if !key.as_str().starts_with(prefix) {
        return Err(refuse(format!(
            "is not below s3://{bucket}/{prefix}; keys are given whole"
        )));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_urls_of_the_bucket_are_names_and_nothing_else() {
        let bucket = BucketName::new("b").unwrap();
        let key = |name: &str, raw| key_of(name, &bucket, "p/", raw).map(|key| key.to_string());
        assert_eq!(key("p/x*?", false).unwrap(), "p/x*?");
        assert_eq!(key("s3://b/p//x", false).unwrap(), "p//x");
        for wrong in ["", "x", "s3://c/p/x", "s3://b", "s3://", "s3://b/x"] {
            assert!(key(wrong, false).is_err(), "{wrong}");
        }
        let raw = key_of("s3://b/p/x", &bucket, "", true).unwrap();
        assert_eq!(raw.as_str(), "s3://b/p/x");
    }
}
