//! What S3 answers instead.

use base::VersionId;

/// Why an operation was refused. Variants carry S3's error codes as their names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such bucket.
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    /// The bucket is there already.
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketAlreadyOwnedByYou,
    /// Versions or delete markers are left in the bucket.
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    /// There is no such object; the current version may be a delete marker.
    #[error("The specified key does not exist.")]
    NoSuchKey {
        /// The delete marker that stands at the key.
        delete_marker: Option<VersionId>,
    },
    /// There is no such version.
    #[error("The specified version does not exist.")]
    NoSuchVersion,
    /// The text is no version id of this store.
    #[error("Invalid version id specified")]
    InvalidVersionId,
    /// The version asked for is a delete marker.
    #[error("The specified method is not allowed against this resource.")]
    VersionIsDeleteMarker {
        /// Its id.
        version_id: VersionId,
    },
    /// There is no such upload.
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload,
    /// A part of a Complete is not there, or not with that ETag or checksum.
    #[error(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    )]
    InvalidPart,
    /// The parts of a Complete do not ascend.
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder,
    /// A part before the last is too small.
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall,
    /// More bytes than one request or object may have.
    #[error("Your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge,
    /// More user metadata than S3 stores.
    #[error("Your metadata headers exceed the maximum allowed metadata size")]
    MetadataTooLarge,
    /// A Complete without parts.
    #[error(
        "The XML you provided was not well-formed or did not validate against our published schema"
    )]
    MalformedXml,
    /// The range lies outside of the object.
    #[error("The requested range is not satisfiable")]
    InvalidRange {
        /// The object's size, in bytes.
        size: u64,
    },
    /// A condition did not hold.
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed {
        /// The header that named it.
        condition: &'static str,
    },
    /// The reader has this already.
    #[error("Not Modified")]
    NotModified,
    /// The bytes differ from the MD5 or checksum that came with them.
    #[error("The {algorithm} you specified did not match the calculated checksum.")]
    BadDigest {
        /// `Content-MD5` or a checksum's name.
        algorithm: &'static str,
    },
    /// An archived object cannot be read.
    #[error("The operation is not valid for the object's storage class")]
    InvalidObjectState,
    /// The version must not be deleted yet.
    #[error("Access Denied because object protected by object lock.")]
    ObjectLocked,
    /// Objects can only be locked while the bucket keeps versions.
    #[error(
        "An Object Lock configuration is present on this bucket, or its versioning is not 'Enabled'"
    )]
    InvalidBucketState,
    /// Tags break S3's rules.
    #[error("{0}")]
    InvalidTag(&'static str),
    /// A value that S3 does not take.
    #[error("{0}")]
    InvalidArgument(String),
    /// A combination that S3 does not take.
    #[error("{0}")]
    InvalidRequest(String),
    /// S3 takes it, or parts of it; this store does not.
    #[error("{0}")]
    NotImplemented(&'static str),
}

impl Error {
    /// S3's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NoSuchBucket => "NoSuchBucket",
            Error::BucketAlreadyOwnedByYou => "BucketAlreadyOwnedByYou",
            Error::BucketNotEmpty => "BucketNotEmpty",
            Error::NoSuchKey { .. } => "NoSuchKey",
            Error::NoSuchVersion => "NoSuchVersion",
            Error::InvalidVersionId | Error::InvalidArgument(_) => "InvalidArgument",
            Error::VersionIsDeleteMarker { .. } => "MethodNotAllowed",
            Error::NoSuchUpload => "NoSuchUpload",
            Error::InvalidPart => "InvalidPart",
            Error::InvalidPartOrder => "InvalidPartOrder",
            Error::EntityTooSmall => "EntityTooSmall",
            Error::EntityTooLarge => "EntityTooLarge",
            Error::MetadataTooLarge => "MetadataTooLarge",
            Error::MalformedXml => "MalformedXML",
            Error::InvalidRange { .. } => "InvalidRange",
            Error::PreconditionFailed { .. } => "PreconditionFailed",
            Error::NotModified => "NotModified",
            Error::BadDigest { .. } => "BadDigest",
            Error::InvalidObjectState => "InvalidObjectState",
            Error::ObjectLocked => "AccessDenied",
            Error::InvalidBucketState => "InvalidBucketState",
            Error::InvalidTag(_) => "InvalidTag",
            Error::InvalidRequest(_) => "InvalidRequest",
            Error::NotImplemented(_) => "NotImplemented",
        }
    }
}
