//! Batches of the log: changes of rows with the bytes of small objects, in one record.
//!
//! Batches are chained by hashes, so that two logs are equal up to a batch when that batch's
//! chain is. Each tells what all rows together hash to once it is applied, whatever their order:
//! a view that differs can never be taken for the truth.

use base::Crc64Nvme;
use sha2::{Digest as _, Sha256};

use super::Damage;
use super::fields::{FieldReader, FieldWriter};
use super::keys::Keyspace;
use super::record::PAYLOAD_BYTES_MAX;

/// Where the bodies begin in a batch: known before anything else about the batch is.
pub const BODIES_AT: usize = 96;

/// Bytes of the chain at a batch's end.
const CHAIN_BYTES: usize = 32;

/// Bytes of a change before its key.
const CHANGE_BYTES_MIN: usize = 8;

/// Says that the bodies are left out: such a copy keeps names, not bytes.
const NAMES_ONLY: u32 = 1;

/// Most bytes of changes and bodies together.
pub const BATCH_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - BODIES_AT - CHAIN_BYTES;

/// The hash over all batches up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain(pub [u8; CHAIN_BYTES]);

impl Chain {
    /// Before the first batch.
    pub const START: Chain = Chain([0; CHAIN_BYTES]);
}

/// What all rows hash to together, in any order, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// The sum of all rows' hashes, modulo 2^128.
    pub hash: u128,
    /// How many rows.
    pub rows: u64,
}

impl Contents {
    /// With one row more.
    #[must_use]
    pub fn with(self, keyspace: Keyspace, key: &[u8], value: &[u8]) -> Contents {
        Contents {
            hash: self.hash.wrapping_add(row_hash(keyspace, key, value)),
            rows: self.rows.wrapping_add(1),
        }
    }

    /// With one row less.
    #[must_use]
    pub fn without(self, keyspace: Keyspace, key: &[u8], value: &[u8]) -> Contents {
        Contents {
            hash: self.hash.wrapping_sub(row_hash(keyspace, key, value)),
            rows: self.rows.wrapping_sub(1),
        }
    }
}

fn row_hash(keyspace: Keyspace, key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = Sha256::new();
    hasher.update([keyspace.code()]);
    hasher.update((key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let digest: [u8; 32] = hasher.finalize().into();
    let (half, _) = digest
        .split_first_chunk()
        .expect("SHA-256 has more than 16 bytes");
    u128::from_le_bytes(*half)
}

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which keyspace.
    pub keyspace: Keyspace,
    /// The row's key.
    pub key: Vec<u8>,
    /// What stands there from now on; none takes the row away.
    pub value: Option<Vec<u8>>,
}

impl Change {
    /// Bytes that the change takes in a batch.
    pub fn bytes(&self) -> usize {
        CHANGE_BYTES_MIN + self.key.len() + self.value.as_ref().map_or(0, Vec::len)
    }
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its number, from 1.
    pub number: u64,
    /// The set of volumes.
    pub set_epoch: u64,
    /// The chain up to the batch before.
    pub previous: Chain,
    /// All rows, once the changes are made.
    pub contents: Contents,
    /// In the order in which they are made.
    pub changes: Vec<Change>,
}

impl Batch {
    /// The payload of a log record, and the chain with this batch.
    ///
    /// # Panics
    /// Beyond [`BATCH_BYTES_MAX`].
    pub fn encode(&self, bodies: &[bytes::Bytes]) -> (Vec<u8>, Chain) {
        let mut changes = FieldWriter::new();
        for change in &self.changes {
            changes.u8(if change.value.is_some() { 1 } else { 2 });
            changes.u8(change.keyspace.code());
            changes.u16(u16::try_from(change.key.len()).expect("keys of rows are short"));
            let value = change.value.as_deref().unwrap_or_default();
            changes.length(value.len());
            changes.bytes(&change.key);
            changes.bytes(value);
        }
        let changes = changes.finish();
        let bodies_length: usize = bodies.iter().map(bytes::Bytes::len).sum();
        assert!(
            changes.len() + bodies_length <= BATCH_BYTES_MAX,
            "a batch is closed before it is too large"
        );
        let mut crc64 = base::checksum::Crc64Hasher::new();
        for body in bodies {
            crc64.update(body);
        }
        let mut payload = FieldWriter::new();
        payload.u64(self.number);
        payload.u64(self.set_epoch);
        payload.bytes(&self.previous.0);
        payload.u128(self.contents.hash);
        payload.u64(self.contents.rows);
        payload.length(self.changes.len());
        payload.length(changes.len());
        payload.length(bodies_length);
        payload.u32(0);
        payload.u64(crc64.finish().0);
        let mut payload = payload.finish();
        let chain = chain(&payload, &changes);
        for body in bodies {
            payload.extend_from_slice(body);
        }
        payload.extend_from_slice(&changes);
        payload.extend_from_slice(&chain.0);
        (payload, chain)
    }

    /// Reads a payload, and the chain with this batch.
    ///
    /// # Errors
    /// What is wrong with it; [`Damage::Checksum`] when chain or bodies differ.
    pub fn decode(payload: &[u8]) -> Result<(Batch, Chain), Damage> {
        let mut fields = FieldReader::new(payload);
        let number = fields.u64()?;
        let set_epoch = fields.u64()?;
        let previous = Chain(fields.array()?);
        let contents = Contents {
            hash: fields.u128()?,
            rows: fields.u64()?,
        };
        let change_count = fields.length()?;
        let changes_length = fields.length()?;
        let bodies_length = fields.length()?;
        let flags = fields.u32()?;
        let bodies_crc64 = Crc64Nvme(fields.u64()?);
        match flags {
            0 => {
                if Crc64Nvme::of(fields.bytes(bodies_length)?) != bodies_crc64 {
                    return Err(Damage::Checksum);
                }
            }
            // Where there are none, none are left out.
            NAMES_ONLY if bodies_length > 0 => {}
            _ => return Err(Damage::Field("the flags")),
        }
        let encoded = fields.bytes(changes_length)?;
        let told = Chain(fields.array()?);
        fields.finish()?;
        let header = payload.get(..BODIES_AT).ok_or(Damage::Short)?;
        if chain(header, encoded) != told {
            return Err(Damage::Checksum);
        }
        let changes = decode_changes(encoded, change_count)?;
        let batch = Batch {
            number,
            set_epoch,
            previous,
            contents,
            changes,
        };
        Ok((batch, told))
    }
}

fn decode_changes(encoded: &[u8], count: usize) -> Result<Vec<Change>, Damage> {
    if count > encoded.len() / CHANGE_BYTES_MIN {
        return Err(Damage::Field("the number of changes"));
    }
    let mut fields = FieldReader::new(encoded);
    let mut changes = Vec::with_capacity(count);
    for _ in 0..count {
        let operation = fields.u8()?;
        let keyspace = Keyspace::from_code(fields.u8()?)?;
        let key_length = usize::from(fields.u16()?);
        let value_length = fields.length()?;
        let key = fields.bytes(key_length)?.to_vec();
        let value = fields.bytes(value_length)?;
        let value = match operation {
            1 => Some(value.to_vec()),
            2 if value.is_empty() => None,
            _ => return Err(Damage::Field("a change")),
        };
        changes.push(Change {
            keyspace,
            key,
            value,
        });
    }
    fields.finish()?;
    Ok(changes)
}

/// The chain with a batch: over its header, in which the chain before stands, but for the flags;
/// and over its changes. A copy without bodies has the same.
fn chain(header: &[u8], changes: &[u8]) -> Chain {
    let mut hasher = Sha256::new();
    hasher.update(&header[..84]);
    hasher.update(&header[88..BODIES_AT]);
    hasher.update(changes);
    Chain(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};
    use proptest::strategy::Union;

    use super::*;

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let keyspace = Union::new(Keyspace::ALL.map(Just));
        let change = (keyspace, any::<Vec<u8>>(), any::<Option<Vec<u8>>>());
        let change = change.prop_map(|(keyspace, key, value)| Change {
            keyspace,
            key,
            value,
        });
        proptest::collection::vec(change, 0..8)
    }

    proptest! {
        #[test]
        fn a_batch_is_read_as_it_was_written_and_no_flipped_bit_passes(
            numbers in any::<(u64, u64, u128, u64)>(),
            previous in any::<[u8; 32]>(),
            changes in changes(),
            bodies in proptest::collection::vec(any::<Vec<u8>>(), 0..4),
            bit in any::<proptest::sample::Index>(),
        ) {
            let batch = Batch {
                number: numbers.0,
                set_epoch: numbers.1,
                previous: Chain(previous),
                contents: Contents { hash: numbers.2, rows: numbers.3 },
                changes,
            };
            let bodies: Vec<Bytes> = bodies.into_iter().map(Bytes::from).collect();
            let (mut payload, chain) = batch.encode(&bodies);
            prop_assert!(payload[BODIES_AT..].starts_with(&bodies.concat()));
            prop_assert_eq!(Batch::decode(&payload), Ok((batch, chain)));
            let bit = bit.index(payload.len() * 8);
            payload[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Batch::decode(&payload).is_err());
        }

        #[test]
        fn no_bytes_at_all_upset_the_reader_of_batches(
            bytes in any::<Vec<u8>>(),
            count in any::<u32>(),
        ) {
            let _ = Batch::decode(&bytes);
            // With everything right but for the changes themselves.
            let mut payload = vec![0_u8; BODIES_AT];
            payload[72..76].copy_from_slice(&count.to_le_bytes());
            let length = u32::try_from(bytes.len()).unwrap();
            payload[76..80].copy_from_slice(&length.to_le_bytes());
            let told = chain(&payload, &bytes);
            payload.extend_from_slice(&bytes);
            payload.extend_from_slice(&told.0);
            let _ = Batch::decode(&payload);
        }

        #[test]
        fn contents_do_not_depend_on_the_order_of_rows(
            rows in proptest::collection::vec(any::<(Vec<u8>, Vec<u8>)>(), 1..12),
            gone in any::<proptest::sample::Index>(),
        ) {
            let sum = |rows: &[(Vec<u8>, Vec<u8>)]| {
                rows.iter().fold(Contents::default(), |sum, (key, value)| {
                    sum.with(Keyspace::Current, key, value)
                })
            };
            let all = sum(&rows);
            let mut turned = rows.clone();
            turned.reverse();
            prop_assert_eq!(sum(&turned), all);
            let (key, value) = turned.remove(gone.index(rows.len()));
            prop_assert_eq!(all.without(Keyspace::Current, &key, &value), sum(&turned));
        }
    }
}
