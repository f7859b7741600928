//! What s3s-fs 0.14.1 lacks.

const NO_VERSIONS: &str = "there are no versions";
const A_FILE_TREE: &str = "keys are paths of files";
const NO_CONDITIONS: &str = "the condition is not known";
const NOT_ENCODED: &str = "keys are said to be URL-encoded and are not";
const NO_PART_ETAG: &str = "listed parts have no ETag";
const NO_CHECKSUMS: &str = "there are no checksums of uploads";

/// The checks, each with the reason.
pub(super) const LACKS: [(&str, &str); 66] = [
    (
        "bucket not empty",
        "a bucket is removed with all that is in it",
    ),
    (
        "missing bucket",
        "a missing bucket is taken for a missing key",
    ),
    ("get if match", NO_CONDITIONS),
    ("storage class", "there is one, and others are refused"),
    ("tag count", "there are no tags"),
    ("delete if match", NO_CONDITIONS),
    ("key: double slash", A_FILE_TREE),
    ("key: leading slash", A_FILE_TREE),
    ("key: leading slashes", A_FILE_TREE),
    (
        "key: trailing slash",
        "a key that ends in a slash is a folder and has no bytes",
    ),
    ("key: slash alone", A_FILE_TREE),
    ("key: dot segment", A_FILE_TREE),
    ("key: dots segment", A_FILE_TREE),
    ("key: dot alone", A_FILE_TREE),
    ("key: dots alone", A_FILE_TREE),
    ("key: dots outside", A_FILE_TREE),
    ("key: plus", NOT_ENCODED),
    ("key: percent", NOT_ENCODED),
    ("key: percent encoded", NOT_ENCODED),
    (
        "key: longest",
        "a part of a key is the name of a file, of 255 bytes at most",
    ),
    ("list rows", "listed objects have no ETag"),
    ("list order", A_FILE_TREE),
    ("list pages", NOT_ENCODED),
    (
        "list delimiter of two characters",
        "the delimiter is one character",
    ),
    ("list v1 pages", NOT_ENCODED),
    ("versioning state", NO_VERSIONS),
    ("versions", NO_VERSIONS),
    ("list versions", NO_VERSIONS),
    ("null version", NO_VERSIONS),
    ("suspended versioning", NO_VERSIONS),
    ("list versions in pages", NO_VERSIONS),
    ("list versions under a delimiter", NO_VERSIONS),
    ("missing version", NO_VERSIONS),
    ("list parts", NO_PART_ETAG),
    ("list parts goes on after a part", NO_PART_ETAG),
    ("list uploads", "there is no listing of uploads"),
    ("part replaced", NO_PART_ETAG),
    ("parts left out", "part numbers must follow one another"),
    ("abort", "ListParts answers for uploads that are gone"),
    (
        "part after abort",
        "a missing upload is taken for that of somebody else",
    ),
    ("wrong part refused", "ETags of parts are not compared"),
    ("part order refused", "it is refused with another code"),
    (
        "upload gone once complete",
        "ListParts answers for uploads that are gone",
    ),
    ("checksum of a multipart object", NO_CHECKSUMS),
    ("wrong whole checksum refused", NO_CHECKSUMS),
    ("part count", "parts are forgotten"),
    ("copy onto itself", "a copy that changes nothing is made"),
    ("copy of a version", NO_VERSIONS),
    ("part copy if match", NO_CONDITIONS),
    (
        "delete a thousand",
        "a part of a key is the name of a file, of 255 bytes at most",
    ),
    ("delete many versions", NO_VERSIONS),
    ("presigned url of a version", NO_VERSIONS),
    ("tags", "there are no tags"),
    ("tags of a version", "there are no versions"),
    ("tags of a multipart object", "there are no tags"),
    ("tags of nothing", "there are no tags"),
    ("wrong tags refused", "there are no tags"),
    ("copy keeps tags", "there are no tags"),
    ("copy replaces tags", "there are no tags"),
    ("canned acl", "there are no access lists"),
    ("acl by grant", "there are no access lists"),
    ("acl of nothing", "there are no access lists"),
    ("object lock of a bucket", "there is no object lock"),
    ("retention", "there is no object lock"),
    ("legal hold", "there is no object lock"),
    ("lock without object lock", "there is no object lock"),
];
