//! Checksum fields, which every s3s type spells out one by one.

use base::checksum::ChecksumType;
use base::{Checksum, ChecksumAlgorithm};
use s3s::dto;

/// Reads the checksum fields of an s3s type: algorithm and base64 text.
macro_rules! declared_checksums {
    ($input:expr) => {{
        let fields = [
            (base::ChecksumAlgorithm::Crc32, &$input.checksum_crc32),
            (base::ChecksumAlgorithm::Crc32c, &$input.checksum_crc32c),
            (
                base::ChecksumAlgorithm::Crc64Nvme,
                &$input.checksum_crc64nvme,
            ),
            (base::ChecksumAlgorithm::Sha1, &$input.checksum_sha1),
            (base::ChecksumAlgorithm::Sha256, &$input.checksum_sha256),
        ];
        fields
            .into_iter()
            .filter_map(|(algorithm, value)| Some((algorithm, value.clone()?)))
            .collect::<Vec<(base::ChecksumAlgorithm, String)>>()
    }};
}

/// Writes a checksum into the field of its algorithm.
macro_rules! set_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match checksum.algorithm {
                base::ChecksumAlgorithm::Crc32 => $output.checksum_crc32 = value,
                base::ChecksumAlgorithm::Crc32c => $output.checksum_crc32c = value,
                base::ChecksumAlgorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
                base::ChecksumAlgorithm::Sha1 => $output.checksum_sha1 = value,
                base::ChecksumAlgorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}

pub(crate) use {declared_checksums, set_checksum};

pub(crate) fn algorithm(algorithm: Option<&dto::ChecksumAlgorithm>) -> Option<ChecksumAlgorithm> {
    ChecksumAlgorithm::from_name(algorithm?.as_str())
}

pub(crate) fn checksum_type(checksum_type: Option<&dto::ChecksumType>) -> Option<ChecksumType> {
    match checksum_type?.as_str() {
        dto::ChecksumType::FULL_OBJECT => Some(ChecksumType::FullObject),
        dto::ChecksumType::COMPOSITE => Some(ChecksumType::Composite),
        _ => None,
    }
}

pub(crate) fn algorithm_name(algorithm: ChecksumAlgorithm) -> dto::ChecksumAlgorithm {
    dto::ChecksumAlgorithm::from_static(algorithm.as_str())
}

pub(crate) fn type_name(checksum_type: ChecksumType) -> dto::ChecksumType {
    dto::ChecksumType::from_static(match checksum_type {
        ChecksumType::FullObject => dto::ChecksumType::FULL_OBJECT,
        ChecksumType::Composite => dto::ChecksumType::COMPOSITE,
    })
}

pub(crate) fn type_of(checksum: Option<&Checksum>) -> Option<dto::ChecksumType> {
    checksum.map(|checksum| type_name(checksum.checksum_type))
}
