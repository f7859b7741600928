//! Values of rows. Each begins with the version of its own layout.

use base::checksum::Crc64Nvme;
use base::{Checksum, ETag, VersionId};
use jiff::Timestamp;

use super::Damage;
use super::attributes;
use super::body::{BodyLayout, Piece};
use super::extent::{Codec, ExtentKind};
use super::fields::{FieldReader, FieldWriter};
use super::ids::{ExtentNumber, Incarnation, VolumeId};
use crate::model::{Attributes, ChecksumPlan, ObjectPart, Tags, Versioning};

/// The layout that this program writes, and the only one there is yet.
const LAYOUT: u8 = 1;

/// A row's value.
pub trait Row: Sized {
    /// Writes the fields behind the layout's version.
    #[doc(hidden)]
    fn write(&self, fields: &mut Fields<'_>);

    /// Reads them.
    #[doc(hidden)]
    fn read(fields: &mut Rest<'_, '_>) -> Result<Self, Damage>;

    /// The row's bytes.
    fn encode(&self) -> Vec<u8> {
        let mut fields = FieldWriter::new();
        fields.u8(LAYOUT);
        self.write(&mut Fields(&mut fields));
        fields.finish()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// What is wrong with it.
    fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut fields = FieldReader::new(bytes);
        match fields.u8()? {
            LAYOUT => {}
            newer if newer > LAYOUT => {
                return Err(Damage::Newer {
                    found: u16::from(newer),
                });
            }
            _ => return Err(Damage::Field("a row's layout")),
        }
        let row = Self::read(&mut Rest(&mut fields))?;
        fields.finish()?;
        Ok(row)
    }
}

/// Where a row is written to.
#[derive(Debug)]
pub struct Fields<'a>(&'a mut FieldWriter);

/// Where a row is read from.
#[derive(Debug)]
pub struct Rest<'a, 'b>(&'a mut FieldReader<'b>);

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRow {
    /// When it was made.
    pub created: Timestamp,
    /// Whether it keeps versions.
    pub versioning: Option<Versioning>,
    /// Whether objects can be locked.
    pub takes_locks: bool,
    /// Its own tags.
    pub tags: Option<Tags>,
}

/// A version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// Its place among all versions of the store: later ones are greater.
    pub sequence: u64,
    /// Its id; `null` for what was written while versions were not kept.
    pub version_id: VersionId,
    /// When it was written; for an object made from parts, when the upload began.
    pub last_modified: Timestamp,
    /// The object; none for a delete marker.
    pub object: Option<ObjectRow>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// Bytes.
    pub size: u64,
    /// CRC-64/NVME of all of them.
    pub crc64: Crc64Nvme,
    /// ETag.
    pub etag: ETag,
    /// The checksum that is answered.
    pub checksum: Checksum,
    /// What it carries.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// How many parts it was made of.
    pub part_count: u32,
    /// Until when an archived object can be read.
    pub restored_until: Option<Timestamp>,
    /// Where the bytes are.
    pub layout: BodyLayout,
}

/// An unfinished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    /// Its place among all versions and uploads of the store.
    pub sequence: u64,
    /// When it began.
    pub initiated: Timestamp,
    /// What the object will carry.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
    /// The checksum asked for.
    pub plan: Option<ChecksumPlan>,
}

/// A part of an unfinished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRow {
    /// Bytes.
    pub size: u64,
    /// CRC-64/NVME of all of them.
    pub crc64: Crc64Nvme,
    /// MD5 of all of them.
    pub md5: [u8; 16],
    /// ETag.
    pub etag: ETag,
    /// The checksum that is kept.
    pub checksum: Checksum,
    /// When it arrived.
    pub last_modified: Timestamp,
    /// Where the bytes are.
    pub layout: BodyLayout,
}

/// A stretch of a body: parts and pieces, both in order. A stretch's parts need not be the ones
/// that its pieces hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StretchRow {
    /// Parts of which the object was made.
    pub parts: Vec<ObjectPart>,
    /// Pieces.
    pub pieces: Vec<Piece>,
}

/// Whether a block takes more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockState {
    /// It does.
    Open,
    /// It does not, at its length.
    Closed,
}

/// Where a copy or shard of a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockPlace {
    /// The volume.
    pub volume: VolumeId,
    /// The extent.
    pub extent: ExtentNumber,
    /// The extent's incarnation: under another one the place is gone.
    pub incarnation: Incarnation,
    /// Which shard.
    pub shard: u16,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRow {
    /// What it holds.
    pub kind: ExtentKind,
    /// Whether it takes more.
    pub state: BlockState,
    /// How it is coded.
    pub codec: Codec,
    /// Data shards, and parity shards: how many places may be lost.
    pub policy: (u8, u8),
    /// Grows whenever places or policy change.
    pub generation: u64,
    /// Bytes that are acknowledged, the extent's header counted: behind them nothing counts. Of an
    /// open block of the log, its own batches tell.
    pub length: u64,
    /// Where.
    pub places: Vec<BlockPlace>,
}

impl Row for BucketRow {
    fn write(&self, Fields(fields): &mut Fields<'_>) {
        fields.time(self.created);
        fields.u8(match self.versioning {
            None => 0,
            Some(Versioning::Enabled) => 1,
            Some(Versioning::Suspended) => 2,
        });
        fields.flag(self.takes_locks);
        fields.option(self.tags.as_ref(), attributes::write_tags);
    }

    fn read(Rest(fields): &mut Rest<'_, '_>) -> Result<BucketRow, Damage> {
        Ok(BucketRow {
            created: fields.time()?,
            versioning: match fields.u8()? {
                0 => None,
                1 => Some(Versioning::Enabled),
                2 => Some(Versioning::Suspended),
                _ => return Err(Damage::Field("versioning")),
            },
            takes_locks: fields.flag()?,
            tags: fields.option(attributes::read_tags)?,
        })
    }
}

impl Row for VersionRow {
    fn write(&self, Fields(fields): &mut Fields<'_>) {
        fields.u64(self.sequence);
        fields.text(self.version_id.as_str());
        fields.time(self.last_modified);
        fields.option(self.object.as_ref(), |fields, object| {
            fields.u64(object.size);
            fields.u64(object.crc64.0);
            fields.text(object.etag.as_str());
            fields.checksum(&object.checksum);
            attributes::write(fields, &object.attributes);
            attributes::write_tags(fields, &object.tags);
            fields.u32(object.part_count);
            fields.option(object.restored_until, FieldWriter::time);
            object.layout.write(fields);
        });
    }

    fn read(Rest(fields): &mut Rest<'_, '_>) -> Result<VersionRow, Damage> {
        Ok(VersionRow {
            sequence: fields.u64()?,
            version_id: VersionId::new(fields.text()?),
            last_modified: fields.time()?,
            object: fields.option(|fields| {
                Ok(ObjectRow {
                    size: fields.u64()?,
                    crc64: Crc64Nvme(fields.u64()?),
                    etag: ETag::from_header(fields.text()?),
                    checksum: fields.checksum()?,
                    attributes: attributes::read(fields)?,
                    tags: attributes::read_tags(fields)?,
                    part_count: fields.u32()?,
                    restored_until: fields.option(FieldReader::time)?,
                    layout: BodyLayout::read(fields)?,
                })
            })?,
        })
    }
}

impl Row for UploadRow {
    fn write(&self, Fields(fields): &mut Fields<'_>) {
        fields.u64(self.sequence);
        fields.time(self.initiated);
        attributes::write(fields, &self.attributes);
        attributes::write_tags(fields, &self.tags);
        fields.option(self.plan, |fields, plan| {
            fields.algorithm(plan.algorithm);
            fields.checksum_type(plan.checksum_type);
        });
    }

    fn read(Rest(fields): &mut Rest<'_, '_>) -> Result<UploadRow, Damage> {
        Ok(UploadRow {
            sequence: fields.u64()?,
            initiated: fields.time()?,
            attributes: attributes::read(fields)?,
            tags: attributes::read_tags(fields)?,
            plan: fields.option(|fields| {
                Ok(ChecksumPlan {
                    algorithm: fields.algorithm()?,
                    checksum_type: fields.checksum_type()?,
                })
            })?,
        })
    }
}

impl Row for PartRow {
    fn write(&self, Fields(fields): &mut Fields<'_>) {
        fields.u64(self.size);
        fields.u64(self.crc64.0);
        fields.bytes(&self.md5);
        fields.text(self.etag.as_str());
        fields.checksum(&self.checksum);
        fields.time(self.last_modified);
        self.layout.write(fields);
    }

    fn read(Rest(fields): &mut Rest<'_, '_>) -> Result<PartRow, Damage> {
        Ok(PartRow {
            size: fields.u64()?,
            crc64: Crc64Nvme(fields.u64()?),
            md5: fields.array()?,
            etag: ETag::from_header(fields.text()?),
            checksum: fields.checksum()?,
            last_modified: fields.time()?,
            layout: BodyLayout::read(fields)?,
        })
    }
}

impl Row for StretchRow {
    fn write(&self, Fields(fields): &mut Fields<'_>) {
        fields.list(self.parts.iter(), |fields, part| {
            fields.u32(part.part_number);
            fields.u64(part.size);
            fields.option(part.checksum.as_ref(), FieldWriter::checksum);
        });
        fields.list(self.pieces.iter(), |fields, piece| piece.write(fields));
    }

    fn read(Rest(fields): &mut Rest<'_, '_>) -> Result<StretchRow, Damage> {
        Ok(StretchRow {
            parts: fields.list(|fields| {
                Ok(ObjectPart {
                    part_number: fields.u32()?,
                    size: fields.u64()?,
                    checksum: fields.option(FieldReader::checksum)?,
                })
            })?,
            pieces: fields.list(Piece::read)?,
        })
    }
}

impl Row for BlockRow {
    fn write(&self, Fields(fields): &mut Fields<'_>) {
        fields.u8(self.kind.code());
        fields.u8(match self.state {
            BlockState::Open => 1,
            BlockState::Closed => 2,
        });
        fields.u8(self.codec.code());
        fields.u8(self.policy.0);
        fields.u8(self.policy.1);
        fields.u64(self.generation);
        fields.u64(self.length);
        fields.list(self.places.iter(), |fields, place| {
            fields.u128(place.volume.0);
            fields.u32(place.extent.0);
            fields.u64(place.incarnation.0);
            fields.u16(place.shard);
        });
    }

    fn read(Rest(fields): &mut Rest<'_, '_>) -> Result<BlockRow, Damage> {
        Ok(BlockRow {
            kind: ExtentKind::from_code(fields.u8()?)?,
            state: match fields.u8()? {
                1 => BlockState::Open,
                2 => BlockState::Closed,
                _ => return Err(Damage::Field("a block's state")),
            },
            codec: Codec::from_code(fields.u8()?)?,
            policy: (fields.u8()?, fields.u8()?),
            generation: fields.u64()?,
            length: fields.u64()?,
            places: fields.list(|fields| {
                Ok(BlockPlace {
                    volume: VolumeId(fields.u128()?),
                    extent: ExtentNumber(fields.u32()?),
                    incarnation: Incarnation(fields.u64()?),
                    shard: fields.u16()?,
                })
            })?,
        })
    }
}

#[cfg(test)]
mod tests;
