//! Texts that are mostly short, without an allocation each.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// Bytes held in place: an MD5 in hexadecimal, `-` and the largest part count are 38.
const INLINE_BYTES_MAX: usize = 38;

/// A text that does not change. A listing makes one for every key, on one thread, and drops it on
/// another.
#[derive(Clone)]
pub(super) struct ShortText(Form);

#[derive(Clone)]
enum Form {
    Inline {
        length: u8,
        bytes: [u8; INLINE_BYTES_MAX],
    },
    Shared(Arc<str>),
}

impl From<&str> for ShortText {
    fn from(text: &str) -> ShortText {
        let mut bytes = [0; INLINE_BYTES_MAX];
        ShortText(match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                let length = u8::try_from(text.len()).expect("what fits in place is short");
                Form::Inline { length, bytes }
            }
            None => Form::Shared(Arc::from(text)),
        })
    }
}

impl Deref for ShortText {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Inline { length, bytes } => std::str::from_utf8(&bytes[..usize::from(*length)])
                .expect("the bytes were those of a text"),
            Form::Shared(text) => text,
        }
    }
}

impl PartialEq for ShortText {
    fn eq(&self, other: &ShortText) -> bool {
        **self == **other
    }
}

impl Eq for ShortText {}

impl PartialOrd for ShortText {
    fn partial_cmp(&self, other: &ShortText) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ShortText {
    fn cmp(&self, other: &ShortText) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for ShortText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Display for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher as _};

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    proptest! {
        #[test]
        fn a_short_text_is_its_text(one in "[a-cé]{0,45}", other in "[a-cé]{0,45}") {
            let (short, short_other) = (ShortText::from(&*one), ShortText::from(&*other));
            prop_assert_eq!(&*short, &*one);
            prop_assert_eq!(short.cmp(&short_other), one.cmp(&other));
            prop_assert_eq!(short == short_other, one == other);
            prop_assert_eq!(hash_of(&short), hash_of(&*one));
        }
    }
}
