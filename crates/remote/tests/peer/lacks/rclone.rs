//! What `rclone serve s3` over a local folder lacks.

const A_FILE_TREE: &str = "keys are paths of files";
const NO_VERSIONS: &str = "there are no versions";
const NO_CONDITIONS: &str = "conditions are not known";

/// The checks, each with the reason.
pub(super) const LACKS: [(&str, &str); 45] = [
    ("get if match", NO_CONDITIONS),
    ("put if absent", NO_CONDITIONS),
    ("put if match", NO_CONDITIONS),
    ("delete if match", NO_CONDITIONS),
    ("complete if absent", NO_CONDITIONS),
    ("copy if match", NO_CONDITIONS),
    ("content headers", "Expires is not kept"),
    ("storage class", "there is one"),
    ("tag count", "there are no tags"),
    ("key: double slash", A_FILE_TREE),
    ("key: leading slash", A_FILE_TREE),
    ("key: leading slashes", A_FILE_TREE),
    ("key: trailing slash", A_FILE_TREE),
    ("key: slash alone", A_FILE_TREE),
    ("key: dot segment", A_FILE_TREE),
    ("key: dots segment", A_FILE_TREE),
    ("key: dot alone", A_FILE_TREE),
    ("key: dots alone", A_FILE_TREE),
    ("key: dots outside", A_FILE_TREE),
    ("list order", A_FILE_TREE),
    (
        "list delimiter of two characters",
        "the delimiter is a slash",
    ),
    ("versioning state", NO_VERSIONS),
    ("versions", NO_VERSIONS),
    ("list versions", NO_VERSIONS),
    ("null version", NO_VERSIONS),
    ("suspended versioning", NO_VERSIONS),
    ("list versions in pages", NO_VERSIONS),
    ("list versions under a delimiter", NO_VERSIONS),
    ("missing version", NO_VERSIONS),
    ("copy of a version", NO_VERSIONS),
    ("delete many versions", NO_VERSIONS),
    ("presigned url of a version", NO_VERSIONS),
    (
        "etag of a multipart object",
        "HEAD says the MD5 of the whole",
    ),
    ("list parts goes on after a part", "the marker is not known"),
    ("list uploads", "aborted uploads leave their folder behind"),
    ("part replaced", "parts are written as they come"),
    ("parts left out", "parts are written as they come"),
    ("wrong part refused", "a refused Complete ends the upload"),
    ("small part refused", "parts have no smallest size"),
    (
        "checksum of a multipart object",
        "there are no checksums of uploads",
    ),
    (
        "wrong whole checksum refused",
        "there are no checksums of uploads",
    ),
    ("part count", "parts are forgotten"),
    ("copy onto itself", "a copy that changes nothing is made"),
    ("part copy", "UploadPartCopy is taken for UploadPart"),
    (
        "part copy if match",
        "UploadPartCopy is taken for UploadPart",
    ),
];
