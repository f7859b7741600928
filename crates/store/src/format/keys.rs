//! Keys of rows: their bytes sort as what they stand for.
//!
//! A text that something follows is escaped: its zero bytes become `00 ff`, and `00 01` ends it.
//! So `a` sorts before `a\0` and that before `a\u{1}`, whatever follows.

use base::ids::PartNumber;
use base::{BucketName, Key, UploadId};

use super::Damage;
use super::ids::{BlockId, BodyId};

/// What a row is about. Each is a map of its own in the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keyspace {
    /// Buckets, by name.
    Buckets,
    /// The newest version of each key.
    Current,
    /// All other versions, of each key the newest first.
    Old,
    /// Unfinished uploads, by key, then by id.
    Uploads,
    /// Their parts, by the upload's sequence, then by number: a Complete names up to 10,000 of them
    /// in one batch, so these keys are short.
    Parts,
    /// Where the bytes of large bodies are, in stretches.
    Bodies,
    /// Blocks.
    Blocks,
}

impl Keyspace {
    /// All of them.
    pub const ALL: [Keyspace; 7] = [
        Keyspace::Buckets,
        Keyspace::Current,
        Keyspace::Old,
        Keyspace::Uploads,
        Keyspace::Parts,
        Keyspace::Bodies,
        Keyspace::Blocks,
    ];

    pub(super) fn code(self) -> u8 {
        match self {
            Keyspace::Buckets => 1,
            Keyspace::Current => 2,
            Keyspace::Old => 3,
            Keyspace::Uploads => 4,
            Keyspace::Parts => 5,
            Keyspace::Bodies => 6,
            Keyspace::Blocks => 7,
        }
    }

    pub(super) fn from_code(code: u8) -> Result<Keyspace, Damage> {
        Keyspace::ALL
            .into_iter()
            .find(|keyspace| keyspace.code() == code)
            .ok_or(Damage::Field("a keyspace"))
    }
}

/// Of [`Keyspace::Buckets`].
pub fn bucket(name: &BucketName) -> Vec<u8> {
    name.as_str().as_bytes().to_vec()
}

/// In front of everything of a bucket, in each keyspace but its own.
pub fn in_bucket(bucket: &BucketName) -> Vec<u8> {
    let mut row = Vec::new();
    push_text(&mut row, bucket.as_str());
    row
}

/// Of [`Keyspace::Current`], and in front of a key's rows in all others.
pub fn object(bucket: &BucketName, key: &str) -> Vec<u8> {
    let mut row = in_bucket(bucket);
    push_text(&mut row, key);
    row
}

/// In front of the rows of all keys that begin so; of the keys themselves but for the end of them.
pub fn objects_from(bucket: &BucketName, key_start: &str) -> Vec<u8> {
    let mut row = in_bucket(bucket);
    push_escaped(&mut row, key_start);
    row
}

/// Of [`Keyspace::Old`]: newer versions sort first.
pub fn old_version(bucket: &BucketName, key: &Key, sequence: u64) -> Vec<u8> {
    let mut row = object(bucket, key.as_str());
    row.extend_from_slice(&(!sequence).to_be_bytes());
    row
}

/// Of [`Keyspace::Uploads`].
pub fn upload(bucket: &BucketName, key: &Key, upload_id: &UploadId) -> Vec<u8> {
    let mut row = object(bucket, key.as_str());
    push_text(&mut row, upload_id.as_str());
    row
}

/// In front of the parts of an upload.
pub fn parts(upload_sequence: u64) -> Vec<u8> {
    upload_sequence.to_be_bytes().to_vec()
}

/// Of [`Keyspace::Parts`].
pub fn part(upload_sequence: u64, number: PartNumber) -> Vec<u8> {
    let mut row = parts(upload_sequence);
    row.extend_from_slice(&number.get().to_be_bytes());
    row
}

/// Of [`Keyspace::Bodies`]: a stretch of a body.
pub fn body(body: BodyId, stretch: u32) -> Vec<u8> {
    let mut row = body.0.to_be_bytes().to_vec();
    row.extend_from_slice(&stretch.to_be_bytes());
    row
}

/// Of [`Keyspace::Blocks`].
pub fn block(block: BlockId) -> Vec<u8> {
    block.0.to_be_bytes().to_vec()
}

/// The key in a row of [`Keyspace::Current`] or [`Keyspace::Old`].
///
/// # Errors
/// [`Damage`] when it is none.
pub fn object_key(row: &[u8]) -> Result<Key, Damage> {
    let (_, behind) = take_text(row)?;
    let (key, _) = take_text(behind)?;
    Key::new(key).map_err(|_| Damage::Field("a key"))
}

/// The bucket in a row of [`Keyspace::Buckets`].
///
/// # Errors
/// [`Damage`] when it is none.
pub fn bucket_name(row: &[u8]) -> Result<BucketName, Damage> {
    let name = std::str::from_utf8(row).map_err(|_| Damage::Field("a bucket's name"))?;
    BucketName::new(name).map_err(|_| Damage::Field("a bucket's name"))
}

/// The part number at the end of a row of [`Keyspace::Parts`].
///
/// # Errors
/// [`Damage`] when it is none.
pub fn part_number(row: &[u8]) -> Result<PartNumber, Damage> {
    let (_, number) = row.split_last_chunk().ok_or(Damage::Short)?;
    PartNumber::new(u32::from_be_bytes(*number)).ok_or(Damage::Field("a part number"))
}

/// The block in a row of [`Keyspace::Blocks`].
///
/// # Errors
/// [`Damage`] when it is none.
pub fn block_id(row: &[u8]) -> Result<BlockId, Damage> {
    let id = row.try_into().map_err(|_| Damage::Short)?;
    Ok(BlockId(u64::from_be_bytes(id)))
}

/// The least bytes above all that begin with `prefix`; none when there are none.
pub fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut above = prefix[..=last].to_vec();
    above[last] += 1;
    Some(above)
}

fn push_escaped(row: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        row.push(byte);
        if byte == 0 {
            row.push(0xff);
        }
    }
}

fn push_text(row: &mut Vec<u8>, text: &str) {
    push_escaped(row, text);
    row.extend_from_slice(&[0, 1]);
}

fn take_text(row: &[u8]) -> Result<(String, &[u8]), Damage> {
    let mut text = Vec::new();
    let mut rest = row;
    loop {
        match rest {
            [0, 0xff, behind @ ..] => {
                text.push(0);
                rest = behind;
            }
            [0, 1, behind @ ..] => {
                let text = String::from_utf8(text).map_err(|_| Damage::Field("a text"))?;
                return Ok((text, behind));
            }
            [0, ..] => return Err(Damage::Field("a text")),
            [byte, behind @ ..] => {
                text.push(*byte);
                rest = behind;
            }
            [] => return Err(Damage::Short),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn rows_sort_as_their_keys_do(
            a in "[\u{0}\u{1}ab\u{ff}]{1,6}",
            b in "[\u{0}\u{1}ab\u{ff}]{1,6}",
            newer in any::<u64>(),
            older in any::<u64>(),
        ) {
            let bucket = BucketName::new("bucket").unwrap();
            let (a, b) = (Key::new(a).unwrap(), Key::new(b).unwrap());
            let row = |key: &Key| object(&bucket, key.as_str());
            prop_assert_eq!(row(&a).cmp(&row(&b)), a.cmp(&b));
            prop_assert_eq!(object_key(&row(&a)), Ok(a.clone()));
            let old = |key: &Key, sequence| old_version(&bucket, key, sequence);
            let expected = a.cmp(&b).then(older.cmp(&newer));
            prop_assert_eq!(old(&a, newer).cmp(&old(&b, older)), expected);
            prop_assert_eq!(object_key(&old(&a, newer)), Ok(a.clone()));
            let begins = b.as_str().starts_with(a.as_str());
            let from = objects_from(&bucket, a.as_str());
            prop_assert_eq!(row(&b).starts_with(&from), begins);
            prop_assert_eq!(row(&b) >= from, b >= a);
        }

        #[test]
        fn no_bytes_at_all_upset_the_reader_of_keys(row in any::<Vec<u8>>()) {
            let _ = object_key(&row);
            let _ = bucket_name(&row);
            let _ = part_number(&row);
            let _ = block_id(&row);
            if let Some(above) = behind(&row) {
                prop_assert!(above > row && !above.starts_with(&row));
            }
        }
    }

    #[test]
    fn one_bucket_s_rows_are_not_another_s() {
        let short = BucketName::new("a").unwrap();
        let long = BucketName::new("ab").unwrap();
        let end = behind(&in_bucket(&short)).unwrap();
        assert!(object(&short, "\u{10ffff}") < end);
        assert!(object(&long, "\u{1}") >= end);
    }
}
