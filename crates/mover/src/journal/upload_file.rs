//! One unfinished upload, kept in a file of its own for as long as it is unfinished.
//!
//! Records: asked (before CreateMultipartUpload, so that an upload whose answer was lost is not
//! forgotten), created, and one for each part that the store acknowledged. The file goes when the
//! upload is completed or aborted. Crash: a part whose record is torn is sent again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use base::{BucketName, ByteCount, Checksum, Crc64Nvme, ETag, Key, UploadId};
use jiff::Timestamp;
use remote::types::CreatedUpload;

use super::pin_fields;
use super::record::{Appender, FieldReader, FieldWriter, Records};
use super::slot::SlotFile;
use crate::event::Verified;
use crate::pin::SourcePin;
use crate::verify::PartSeal;

const ASKED: u8 = 1;
const CREATED: u8 = 2;
const PART: u8 = 3;

/// What an upload is asked for. An upload belongs to exactly this: when any of it changes, it is
/// begun anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The store.
    pub(crate) endpoint: String,
    /// The bucket.
    pub(crate) bucket: BucketName,
    /// The key.
    pub(crate) key: Key,
    /// What is uploaded.
    pub(crate) pin: SourcePin,
    /// Each part's size but the last one's.
    pub(crate) part_size: ByteCount,
    /// Hash of what the object is to carry, which is settled when the upload is created.
    pub(crate) attributes: u64,
    /// When it was asked for, to the second.
    pub(crate) asked_at: Timestamp,
}

impl Asked {
    /// Whether an upload that was asked for so can go on as `self`.
    pub(crate) fn goes_on_with(&self, earlier: &Asked) -> bool {
        self.endpoint == earlier.endpoint
            && self.bucket == earlier.bucket
            && self.key == earlier.key
            && self.part_size == earlier.part_size
            && self.attributes == earlier.attributes
            && self.pin.is_surely(&earlier.pin)
    }
}

/// What a file tells of an upload.
#[derive(Debug, Clone)]
pub(crate) struct UploadState {
    pub(crate) asked: Asked,
    /// None if the answer to CreateMultipartUpload did not arrive.
    pub(crate) created: Option<CreatedUpload>,
    /// Acknowledged parts by index, from 0.
    pub(crate) parts: BTreeMap<u32, PartSeal>,
    /// Where the file's last whole record ends.
    end: u64,
}

/// The file of an upload under way.
#[derive(Debug)]
pub(crate) struct UploadFile(Appender);

impl UploadFile {
    /// Keeps what the store answered.
    pub(super) fn created(&mut self, created: &CreatedUpload) -> io::Result<()> {
        let mut fields = FieldWriter::of_kind(CREATED);
        fields.text(created.upload_id.as_str());
        fields.flag(created.takes_crc64nvme);
        self.0.append(fields.bytes())
    }

    /// Keeps an acknowledged part.
    pub(super) fn part(&mut self, index: u32, part: &PartSeal) -> io::Result<()> {
        self.0.append(&encode_part(index, part))
    }
}

impl SlotFile for UploadFile {
    const FOLDER: &'static str = "uploads";
    type Asked = Asked;
    type State = UploadState;

    fn read(path: &Path) -> io::Result<Option<UploadState>> {
        let mut records = match Records::open(path) {
            Ok(records) => records,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(first) = records.next_payload()? else {
            return Ok(None);
        };
        let Some(asked) = decode_asked(&first) else {
            return Ok(None);
        };
        let mut state = UploadState {
            asked,
            created: None,
            parts: BTreeMap::new(),
            end: records.end(),
        };
        while let Some(payload) = records.next_payload()? {
            if take(&mut state, &payload).is_none() {
                break;
            }
            state.end = records.end();
        }
        Ok(Some(state))
    }

    fn begin(path: &Path, asked: &Asked) -> io::Result<UploadFile> {
        let mut file = Appender::create(path)?;
        file.append(&encode_asked(asked))?;
        Ok(UploadFile(file))
    }

    fn resume(path: &Path, state: &UploadState) -> io::Result<UploadFile> {
        Appender::resume(path, state.end).map(UploadFile)
    }

    fn handle(&self) -> io::Result<File> {
        self.0.handle()
    }
}

fn take(state: &mut UploadState, payload: &[u8]) -> Option<()> {
    let mut fields = FieldReader::new(payload);
    match fields.byte()? {
        CREATED => {
            state.created = Some(CreatedUpload {
                upload_id: UploadId::new(fields.text()?),
                takes_crc64nvme: fields.flag()?,
            });
        }
        PART => {
            let index = u32::try_from(fields.number()?).ok()?;
            state.parts.insert(index, decode_part(&mut fields)?);
        }
        _ => return None,
    }
    Some(())
}

fn encode_asked(asked: &Asked) -> Vec<u8> {
    let mut fields = FieldWriter::of_kind(ASKED);
    fields.text(&asked.endpoint);
    fields.text(asked.bucket.as_str()).text(asked.key.as_str());
    pin_fields::write(&mut fields, &asked.pin);
    fields.number(asked.part_size.0).number(asked.attributes);
    fields.signed(asked.asked_at.as_second());
    fields.bytes().to_vec()
}

fn decode_asked(payload: &[u8]) -> Option<Asked> {
    let mut fields = FieldReader::new(payload);
    if fields.byte()? != ASKED {
        return None;
    }
    let endpoint = fields.text()?.to_owned();
    let bucket = BucketName::new(fields.text()?).ok()?;
    let key = Key::new(fields.text()?).ok()?;
    let pin = pin_fields::read(&mut fields)?;
    Some(Asked {
        endpoint,
        bucket,
        key,
        pin,
        part_size: ByteCount(fields.number()?),
        attributes: fields.number()?,
        asked_at: Timestamp::from_second(fields.signed()?).ok()?,
    })
}

fn encode_part(index: u32, part: &PartSeal) -> Vec<u8> {
    let mut fields = FieldWriter::of_kind(PART);
    fields.number(u64::from(index)).number(part.size.0);
    fields.optional(part.crc64, |fields, crc64| {
        fields.number(crc64.0);
    });
    fields.text(part.etag.as_str());
    fields.byte(match &part.verified {
        None => 0,
        Some(Verified::Checksum(_)) => 1,
        Some(Verified::PayloadSignature) => 2,
        Some(Verified::ETag) => 3,
        Some(Verified::ServerSide) => 4,
        Some(Verified::SizeOnly) => 5,
    });
    fields.flag(part.suspect);
    fields.bytes().to_vec()
}

fn decode_part(fields: &mut FieldReader<'_>) -> Option<PartSeal> {
    let size = ByteCount(fields.number()?);
    let crc64 = fields.optional(|f| f.number())?.map(Crc64Nvme);
    let etag = ETag::from_header(fields.text()?);
    let verified = match (fields.byte()?, crc64) {
        (0, _) => None,
        (1, Some(crc64)) => Some(Verified::Checksum(Checksum::crc64nvme(crc64))),
        (2, _) => Some(Verified::PayloadSignature),
        (3, _) => Some(Verified::ETag),
        (4, _) => Some(Verified::ServerSide),
        (5, _) => Some(Verified::SizeOnly),
        _ => return None,
    };
    Some(PartSeal {
        size,
        crc64,
        etag,
        verified,
        suspect: fields.flag()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::pin::{FilePin, ObjectPin};

    fn asked() -> Asked {
        Asked {
            endpoint: "http://127.0.0.1:9".to_owned(),
            bucket: BucketName::new("bucket").unwrap(),
            key: Key::new("a//b \u{1}ü").unwrap(),
            pin: SourcePin::Object(ObjectPin {
                etag: Some(ETag::from_header("\"e-2\"")),
                version_id: None,
                size: ByteCount(u64::MAX),
            }),
            part_size: ByteCount(5 << 20),
            attributes: 77,
            asked_at: Timestamp::from_second(-5).unwrap(),
        }
    }

    fn seal(seed: u64) -> PartSeal {
        let (crc64, known) = (Crc64Nvme(seed), !seed.is_multiple_of(3));
        PartSeal {
            size: ByteCount(seed),
            crc64: known.then_some(crc64),
            etag: ETag::from_header(&format!("etag-of-{seed}")),
            verified: known.then(|| Verified::Checksum(Checksum::crc64nvme(crc64))),
            suspect: seed.is_multiple_of(5),
        }
    }

    proptest! {
        // Each case cuts at every byte, on a disk.
        #![proptest_config(ProptestConfig::with_cases(6))]

        /// Whatever was acknowledged is found again; cut at any byte, a prefix of it is.
        #[test]
        fn a_file_cut_at_any_byte_holds_the_parts_before(
            parts in proptest::collection::vec((0_u32..20, any::<u64>()), 0..5),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("upload");
            let mut file = UploadFile::begin(&path, &asked()).unwrap();
            let created = CreatedUpload { upload_id: UploadId::new("id"), takes_crc64nvme: true };
            file.created(&created).unwrap();
            let mut models = vec![BTreeMap::new()];
            for (index, seed) in &parts {
                file.part(*index, &seal(*seed)).unwrap();
                let mut model = models.last().unwrap().clone();
                model.insert(*index, seal(*seed));
                models.push(model);
            }
            let state = UploadFile::read(&path).unwrap().unwrap();
            prop_assert_eq!(&state.asked, &asked());
            prop_assert_eq!(&state.parts, models.last().unwrap());
            prop_assert!(state.created.is_some_and(|created| created.takes_crc64nvme));
            let whole = std::fs::read(&path).unwrap();
            let mut so_far = 0;
            for cut in 0..=whole.len() {
                std::fs::write(&path, &whole[..cut]).unwrap();
                let Some(state) = UploadFile::read(&path).unwrap() else { continue };
                prop_assert!(models.contains(&state.parts));
                prop_assert!(state.parts.len() >= so_far);
                so_far = state.parts.len();
            }
        }
    }

    #[test]
    fn an_upload_goes_on_only_as_what_it_was_begun_for() {
        let earlier = asked();
        assert!(asked().goes_on_with(&earlier));
        let later = Asked {
            asked_at: Timestamp::from_second(9).unwrap(),
            ..asked()
        };
        assert!(later.goes_on_with(&earlier));
        let part_size = ByteCount(6 << 20);
        assert!(
            !Asked {
                part_size,
                ..asked()
            }
            .goes_on_with(&earlier)
        );
        let attributes = 78;
        assert!(
            !Asked {
                attributes,
                ..asked()
            }
            .goes_on_with(&earlier)
        );
        let pin = SourcePin::File(FilePin {
            device: 1,
            inode: 2,
            size: 3,
            modified_s: 4,
            modified_ns: 5,
        });
        assert!(!Asked { pin, ..asked() }.goes_on_with(&earlier));
    }
}
