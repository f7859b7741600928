//! One unfinished download in ranges, kept in a file of its own for as long as it is unfinished.
//!
//! Records: begun (before the temporary file is made, so that none is forgotten) and one for each
//! part of which every byte was handed to the kernel. The file goes when the download has its name
//! or is given up. Crash: a kill takes nothing back that the kernel has; a power cut may, so that no
//! part is believed before its bytes were read back and have the checksum of its record.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base::{BucketName, ByteCount, Crc64Nvme, Key};
use jiff::Timestamp;

use super::pin_fields;
use super::record::{Appender, FieldReader, FieldWriter, Records};
use super::slot::SlotFile;
use crate::landing::TemporaryName;
use crate::pin::SourcePin;

const BEGUN: u8 = 1;
const PART: u8 = 2;

/// What a download is begun for. When any of it but the last two changes, it is begun anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BegunDownload {
    /// The store.
    pub(crate) endpoint: String,
    /// The bucket.
    pub(crate) bucket: BucketName,
    /// The key.
    pub(crate) key: Key,
    /// What is downloaded.
    pub(crate) pin: SourcePin,
    /// Each part's size but the last one's.
    pub(crate) part_size: ByteCount,
    /// The file that it becomes, from the root on.
    pub(crate) target: String,
    /// The file that it is meanwhile, in the same folder.
    pub(crate) temporary: TemporaryName,
    /// When it was begun, to the second.
    pub(crate) began_at: Timestamp,
}

impl BegunDownload {
    /// Whether a download that was begun so can go on as `self`.
    pub(crate) fn goes_on_with(&self, earlier: &BegunDownload) -> bool {
        self.endpoint == earlier.endpoint
            && self.bucket == earlier.bucket
            && self.key == earlier.key
            && self.part_size == earlier.part_size
            && self.target == earlier.target
            && self.pin.is_surely(&earlier.pin)
    }

    /// The temporary file.
    pub(crate) fn temporary_path(&self) -> PathBuf {
        self.temporary.beside(Path::new(&self.target))
    }
}

/// A part whose bytes are in the temporary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LandedPart {
    /// Its number of bytes.
    pub(crate) size: ByteCount,
    /// Their checksum as they passed.
    pub(crate) crc64: Crc64Nvme,
}

/// What a file tells of a download.
#[derive(Debug, Clone)]
pub(crate) struct DownloadState {
    pub(crate) begun: BegunDownload,
    /// Parts that landed, by index from 0.
    pub(crate) parts: BTreeMap<u32, LandedPart>,
    /// Where the file's last whole record ends.
    end: u64,
}

/// The file of a download under way.
#[derive(Debug)]
pub(crate) struct DownloadFile(Appender);

impl DownloadFile {
    /// Keeps a part that landed.
    pub(super) fn part(&mut self, index: u32, part: LandedPart) -> io::Result<()> {
        let mut fields = FieldWriter::of_kind(PART);
        fields.number(u64::from(index));
        fields.number(part.size.0).number(part.crc64.0);
        self.0.append(fields.bytes())
    }
}

impl SlotFile for DownloadFile {
    const FOLDER: &'static str = "downloads";
    type Asked = BegunDownload;
    type State = DownloadState;

    fn read(path: &Path) -> io::Result<Option<DownloadState>> {
        let mut records = match Records::open(path) {
            Ok(records) => records,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let first = records.next_payload()?;
        let Some(begun) = first.as_deref().and_then(decode_begun) else {
            return Ok(None);
        };
        let mut state = DownloadState {
            begun,
            parts: BTreeMap::new(),
            end: records.end(),
        };
        while let Some(payload) = records.next_payload()? {
            let Some((index, part)) = decode_part(&payload) else {
                break;
            };
            state.parts.insert(index, part);
            state.end = records.end();
        }
        Ok(Some(state))
    }

    fn begin(path: &Path, begun: &BegunDownload) -> io::Result<DownloadFile> {
        let mut file = Appender::create(path)?;
        file.append(&encode_begun(begun))?;
        Ok(DownloadFile(file))
    }

    fn resume(path: &Path, state: &DownloadState) -> io::Result<DownloadFile> {
        Appender::resume(path, state.end).map(DownloadFile)
    }

    fn handle(&self) -> io::Result<File> {
        self.0.handle()
    }
}

fn encode_begun(begun: &BegunDownload) -> Vec<u8> {
    let mut fields = FieldWriter::of_kind(BEGUN);
    fields.text(&begun.endpoint);
    fields.text(begun.bucket.as_str()).text(begun.key.as_str());
    pin_fields::write(&mut fields, &begun.pin);
    fields.number(begun.part_size.0);
    fields.text(&begun.target).number(begun.temporary.number());
    fields.signed(begun.began_at.as_second());
    fields.bytes().to_vec()
}

fn decode_begun(payload: &[u8]) -> Option<BegunDownload> {
    let mut fields = FieldReader::new(payload);
    (fields.byte()? == BEGUN).then_some(())?;
    Some(BegunDownload {
        endpoint: fields.text()?.to_owned(),
        bucket: BucketName::new(fields.text()?).ok()?,
        key: Key::new(fields.text()?).ok()?,
        pin: pin_fields::read(&mut fields)?,
        part_size: ByteCount(fields.number()?),
        target: fields.text()?.to_owned(),
        temporary: TemporaryName::new(fields.number()?),
        began_at: Timestamp::from_second(fields.signed()?).ok()?,
    })
}

fn decode_part(payload: &[u8]) -> Option<(u32, LandedPart)> {
    let mut fields = FieldReader::new(payload);
    (fields.byte()? == PART).then_some(())?;
    let index = u32::try_from(fields.number()?).ok()?;
    let part = LandedPart {
        size: ByteCount(fields.number()?),
        crc64: Crc64Nvme(fields.number()?),
    };
    Some((index, part))
}

#[cfg(test)]
mod tests {
    use base::{ETag, VersionId};
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::pin::ObjectPin;

    fn begun() -> BegunDownload {
        BegunDownload {
            endpoint: "http://127.0.0.1:9".to_owned(),
            bucket: BucketName::new("bucket").unwrap(),
            key: Key::new("a//b \u{1}ü").unwrap(),
            pin: SourcePin::Object(ObjectPin {
                etag: Some(ETag::from_header("\"e-2\"")),
                version_id: Some(VersionId::new("v")),
                size: ByteCount(u64::MAX),
            }),
            part_size: ByteCount(5 << 20),
            target: "/data/ü \n/b".to_owned(),
            temporary: TemporaryName::new(7),
            began_at: Timestamp::from_second(-5).unwrap(),
        }
    }

    proptest! {
        // Each case cuts at every byte, on a disk.
        #![proptest_config(ProptestConfig::with_cases(6))]

        /// Whatever landed is found again; cut at any byte, a prefix of it is.
        #[test]
        fn a_downloads_file_cut_at_any_byte_holds_the_parts_before(
            parts in proptest::collection::vec((0_u32..20, any::<u64>(), any::<u64>()), 0..5),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("download");
            let mut file = DownloadFile::begin(&path, &begun()).unwrap();
            let mut models = vec![BTreeMap::new()];
            for (index, size, crc64) in parts {
                let part = LandedPart { size: ByteCount(size), crc64: Crc64Nvme(crc64) };
                file.part(index, part).unwrap();
                let mut model = models.last().unwrap().clone();
                model.insert(index, part);
                models.push(model);
            }
            let state = DownloadFile::read(&path).unwrap().unwrap();
            prop_assert_eq!(&state.begun, &begun());
            prop_assert_eq!(&state.parts, models.last().unwrap());
            let whole = std::fs::read(&path).unwrap();
            let mut so_far = 0;
            for cut in 0..=whole.len() {
                std::fs::write(&path, &whole[..cut]).unwrap();
                let Some(state) = DownloadFile::read(&path).unwrap() else { continue };
                prop_assert!(models.contains(&state.parts));
                prop_assert!(state.parts.len() >= so_far);
                so_far = state.parts.len();
            }
        }
    }

    #[test]
    fn a_download_goes_on_only_as_what_it_was_begun_for() {
        let earlier = begun();
        let same = BegunDownload {
            temporary: TemporaryName::new(8),
            began_at: Timestamp::from_second(9).unwrap(),
            ..begun()
        };
        assert!(same.goes_on_with(&earlier));
        let others = [
            BegunDownload {
                part_size: ByteCount(6 << 20),
                ..begun()
            },
            BegunDownload {
                target: "/data/c".to_owned(),
                ..begun()
            },
            BegunDownload {
                pin: SourcePin::Object(ObjectPin {
                    etag: None,
                    version_id: Some(VersionId::new("w")),
                    size: ByteCount(u64::MAX),
                }),
                ..begun()
            },
        ];
        for other in others {
            assert!(!other.goes_on_with(&earlier));
        }
        assert_eq!(
            earlier.temporary_path(),
            Path::new("/data/ü \n/.longhaul-0000000000000007.part")
        );
    }
}
