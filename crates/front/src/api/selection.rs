//! Which bytes of an object a GET or HEAD means: all, a range, or a part.

use std::ops::Range;

use base::Checksum;
use http::StatusCode;
use s3s::dto;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use store::model::{Object, RangeRequest};

use crate::names::{part_number, s3_error};

/// What a GET or HEAD asks for beside the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    pub(super) range: Option<dto::Range>,
    pub(super) part_number: Option<i32>,
}

/// What of an object is answered.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) bytes: Range<u64>,
    /// `Content-Range`, when it is not the whole, or was asked for as a part.
    pub(super) content_range: Option<String>,
    /// The checksum of what is answered.
    pub(super) checksum: Option<Checksum>,
    /// The number of parts, when a part was asked for.
    pub(super) part_count: Option<i32>,
}

impl Selection {
    pub(super) fn of(self, object: &Object) -> S3Result<Selected> {
        let size = object.size();
        let content_range = |bytes: &Range<u64>| {
            (!bytes.is_empty()).then(|| format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1))
        };
        match (self.range, self.part_number) {
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            )),
            (Some(range), None) => {
                let request = match range {
                    dto::Range::Int { first, last } => RangeRequest::From { first, last },
                    dto::Range::Suffix { length } => RangeRequest::Last { length },
                };
                let bytes = request.resolve(size).map_err(s3_error)?;
                let whole = bytes == (0..size);
                Ok(Selected {
                    content_range: content_range(&bytes),
                    checksum: whole.then(|| object.checksum.clone()),
                    bytes,
                    part_count: None,
                })
            }
            (None, Some(asked)) => {
                let asked = part_number(asked)?.get();
                let (bytes, checksum) = part_of(object, asked).ok_or_else(invalid_part_number)?;
                Ok(Selected {
                    content_range: content_range(&bytes),
                    checksum,
                    bytes,
                    part_count: i32::try_from(object.parts.len())
                        .ok()
                        .filter(|count| *count > 0),
                })
            }
            (None, None) => Ok(Selected {
                bytes: 0..size,
                content_range: None,
                checksum: Some(object.checksum.clone()),
                part_count: None,
            }),
        }
    }
}

/// S3's answer to a part number that an object does not have.
fn invalid_part_number() -> S3Error {
    let mut error = S3Error::with_message(
        S3ErrorCode::Custom("InvalidPartNumber".into()),
        "The requested partnumber is not satisfiable",
    );
    error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
    error
}

/// The bytes and checksum of one part; an object that was not made of parts is one.
fn part_of(object: &Object, asked: u32) -> Option<(Range<u64>, Option<Checksum>)> {
    if object.parts.is_empty() {
        return (asked == 1).then(|| (0..object.size(), Some(object.checksum.clone())));
    }
    let mut start = 0;
    for part in object.parts.iter() {
        let end = start + part.size;
        if part.part_number == asked {
            return Some((start..end, part.checksum.clone()));
        }
        start = end;
    }
    None
}
