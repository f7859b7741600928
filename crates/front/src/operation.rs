//! Which operation a request is, from its method, path and query: for counters and deviations,
//! which look at requests before they are decoded.

use http::{HeaderMap, Method, Uri};

macro_rules! operations {
    ($($name:ident),+ $(,)?) => {
        /// An operation by S3's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($name), "`.")] $name,)+
        }

        impl Operation {
            /// S3's name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Operation::$name => stringify!($name),)+
                }
            }
        }
    };
}

operations! {
    ListBuckets,
    CreateBucket,
    HeadBucket,
    DeleteBucket,
    ListObjects,
    ListObjectsV2,
    ListObjectVersions,
    ListMultipartUploads,
    DeleteObjects,
    PostObject,
    GetObject,
    HeadObject,
    PutObject,
    CopyObject,
    DeleteObject,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    ListParts,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    Subresource,
    Unknown,
}

/// Query parameters that ask for something beside the bucket or object itself.
const SUBRESOURCES: [&str; 24] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "restore",
    "retention",
    "tagging",
    "torrent",
    "website",
];

impl Operation {
    /// Tells the operation of a request. `bucket_in_host` when the path begins with the key.
    pub fn of(method: &Method, uri: &Uri, headers: &HeaderMap, bucket_in_host: bool) -> Operation {
        let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
        let has_key = if bucket_in_host {
            !path.is_empty()
        } else {
            path.split_once('/').is_some_and(|(_, key)| !key.is_empty())
        };
        let query = uri.query().unwrap_or("");
        let has = |name: &str| {
            query
                .split('&')
                .any(|pair| pair.split('=').next() == Some(name))
        };
        if SUBRESOURCES.iter().any(|name| has(name)) || has("versioning") {
            return Operation::Subresource;
        }
        if has_key {
            let copies = headers.contains_key("x-amz-copy-source");
            return match (method.as_str(), has("uploadId"), copies) {
                ("GET", true, _) => Operation::ListParts,
                ("GET", false, _) => Operation::GetObject,
                ("HEAD", _, _) => Operation::HeadObject,
                ("PUT", true, false) => Operation::UploadPart,
                ("PUT", true, true) => Operation::UploadPartCopy,
                ("PUT", false, false) => Operation::PutObject,
                ("PUT", false, true) => Operation::CopyObject,
                ("DELETE", true, _) => Operation::AbortMultipartUpload,
                ("DELETE", false, _) => Operation::DeleteObject,
                ("POST", true, _) => Operation::CompleteMultipartUpload,
                ("POST", false, _) if has("uploads") => Operation::CreateMultipartUpload,
                _ => Operation::Unknown,
            };
        }
        let has_bucket = bucket_in_host || !path.is_empty();
        match (method.as_str(), has_bucket) {
            ("GET", false) => Operation::ListBuckets,
            ("GET", true) if has("versions") => Operation::ListObjectVersions,
            ("GET", true) if has("uploads") => Operation::ListMultipartUploads,
            ("GET", true) if has("list-type") => Operation::ListObjectsV2,
            ("GET", true) => Operation::ListObjects,
            ("HEAD", true) => Operation::HeadBucket,
            ("PUT", true) => Operation::CreateBucket,
            ("DELETE", true) => Operation::DeleteBucket,
            ("POST", true) if has("delete") => Operation::DeleteObjects,
            ("POST", true) => Operation::PostObject,
            _ => Operation::Unknown,
        }
    }
}
