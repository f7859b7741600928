//! Bodies: which rows tell where their bytes are.

use std::ops::{ControlFlow, Range};

use crate::error::Error;
use crate::format::batch::Change;
use crate::format::keys::{self, Keyspace};
use crate::format::rows::{BlockRow, Row as _, StretchRow};
use crate::format::{BodyId, BodyLayout, Damage, Piece};
use crate::log::draft::Draft;
use crate::model::{self, ObjectPart};
use crate::namespace::Rows;

/// Most pieces that stand in an object's own row. A guess, not measured: a row with so many is
/// little larger than one without.
const PIECES_IN_ROW_MAX: usize = 4;

/// Parts or pieces of a stretch. A guess, not measured: some 8 KiB a row.
const STRETCH_LENGTH: usize = 256;

/// Where a body is: in its row if it is short, else in rows of its own.
pub(super) fn lay_out(draft: &mut Draft, pieces: Vec<Piece>, parts: Vec<ObjectPart>) -> BodyLayout {
    if pieces.len() <= PIECES_IN_ROW_MAX && parts.is_empty() {
        return BodyLayout::Pieces(pieces);
    }
    let body = BodyId(draft.next_sequence());
    let mut stretches = 0;
    let (mut pieces, mut parts) = (pieces.into_iter(), parts.into_iter());
    loop {
        let row = StretchRow {
            parts: parts.by_ref().take(STRETCH_LENGTH).collect(),
            pieces: pieces.by_ref().take(STRETCH_LENGTH).collect(),
        };
        if row == StretchRow::default() {
            return BodyLayout::Stretches { body, stretches };
        }
        draft.change(Change {
            keyspace: Keyspace::Bodies,
            key: keys::body(body, stretches),
            value: Some(row.encode()),
        });
        stretches += 1;
    }
}

/// The stretches of a body in order, until `visit` has seen enough.
fn stretches(
    rows: &dyn Rows,
    layout: &BodyLayout,
    mut visit: impl FnMut(StretchRow) -> ControlFlow<()>,
) -> Result<(), Error> {
    match layout {
        BodyLayout::Pieces(pieces) => {
            let _ = visit(StretchRow {
                parts: Vec::new(),
                pieces: pieces.clone(),
            });
        }
        BodyLayout::Stretches { body, stretches } => {
            for stretch in 0..*stretches {
                let row = rows
                    .get(Keyspace::Bodies, &keys::body(*body, stretch))
                    .ok_or(Damage::Field("a body's stretches"))?;
                if visit(StretchRow::decode(&row)?).is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// All pieces of a body.
pub(super) fn pieces_of(rows: &dyn Rows, layout: &BodyLayout) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    stretches(rows, layout, |stretch| {
        pieces.extend(stretch.pieces);
        ControlFlow::Continue(())
    })?;
    Ok(pieces)
}

/// What to read for a range: of each piece it touches its block, and which of the piece's bytes.
pub(super) fn pieces_within(
    rows: &dyn Rows,
    layout: &BodyLayout,
    range: &Range<u64>,
) -> Result<Vec<(BlockRow, Piece, Range<u32>)>, Error> {
    let mut wanted = Vec::new();
    let mut at = 0;
    stretches(rows, layout, |stretch| {
        for piece in stretch.pieces {
            let (start, end) = (at, at + u64::from(piece.length));
            at = end;
            let from = range.start.max(start);
            let to = range.end.min(end);
            if from < to {
                let within = |place: u64| {
                    u32::try_from(place - start).expect("a piece is shorter than 4 GiB")
                };
                wanted.push((piece, within(from)..within(to)));
            }
        }
        if at >= range.end {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    wanted
        .into_iter()
        .map(|(piece, within)| {
            let row = rows
                .get(Keyspace::Blocks, &keys::block(piece.place.block))
                .ok_or(Damage::Field("a block"))?;
            Ok((BlockRow::decode(&row)?, piece, within))
        })
        .collect()
}

/// Takes away the rows of a body.
pub(super) fn forget_layout(draft: &mut Draft, layout: &BodyLayout) {
    match layout {
        BodyLayout::Pieces(_) => {}
        BodyLayout::Stretches { body, stretches } => {
            for stretch in 0..*stretches {
                draft.change(Change {
                    keyspace: Keyspace::Bodies,
                    key: keys::body(*body, stretch),
                    value: None,
                });
            }
        }
    }
}

/// A body of which only its places are known.
#[derive(Debug, Clone)]
pub(super) struct StoredBody {
    pub(super) size: u64,
    pub(super) layout: BodyLayout,
}

impl StoredBody {
    /// Not placed yet.
    pub(super) const EMPTY: StoredBody = StoredBody {
        size: 0,
        layout: BodyLayout::EMPTY,
    };
}

impl model::PartBody for StoredBody {
    fn byte_count(&self) -> u64 {
        self.size
    }
}
