//! Where bytes are.

use super::Damage;
use super::fields::{FieldReader, FieldWriter};
use super::ids::{BlockId, BodyId};

/// Bytes in one record of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The block.
    pub block: BlockId,
    /// Where the record begins, in bytes from the beginning of the block.
    pub record: u64,
    /// Where the bytes begin in the record's payload.
    pub offset: u32,
}

/// A piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it is.
    pub place: Place,
    /// Its bytes.
    pub length: u32,
}

/// A body: few pieces stand in its row; of more, stretches are rows of their own, so that a large
/// object's row stays as small as any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyLayout {
    /// These.
    Pieces(Vec<Piece>),
    /// In rows.
    Stretches {
        /// Under this id.
        body: BodyId,
        /// So many.
        stretches: u32,
    },
}

impl Piece {
    pub(super) fn write(self, fields: &mut FieldWriter) {
        fields.u64(self.place.block.0);
        fields.u64(self.place.record);
        fields.u32(self.place.offset);
        fields.u32(self.length);
    }

    pub(super) fn read(fields: &mut FieldReader<'_>) -> Result<Piece, Damage> {
        Ok(Piece {
            place: Place {
                block: BlockId(fields.u64()?),
                record: fields.u64()?,
                offset: fields.u32()?,
            },
            length: fields.u32()?,
        })
    }
}

impl BodyLayout {
    /// Of no bytes.
    pub const EMPTY: BodyLayout = BodyLayout::Pieces(Vec::new());

    pub(super) fn write(&self, fields: &mut FieldWriter) {
        match self {
            BodyLayout::Pieces(pieces) => {
                fields.u8(1);
                fields.list(pieces.iter(), |fields, piece| piece.write(fields));
            }
            BodyLayout::Stretches { body, stretches } => {
                fields.u8(2);
                fields.u64(body.0);
                fields.u32(*stretches);
            }
        }
    }

    pub(super) fn read(fields: &mut FieldReader<'_>) -> Result<BodyLayout, Damage> {
        match fields.u8()? {
            1 => Ok(BodyLayout::Pieces(fields.list(Piece::read)?)),
            2 => Ok(BodyLayout::Stretches {
                body: BodyId(fields.u64()?),
                stretches: fields.u32()?,
            }),
            _ => Err(Damage::Field("a body's layout")),
        }
    }
}
