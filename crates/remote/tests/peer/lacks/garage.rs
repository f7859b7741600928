//! What Garage 2.5.0 lacks.

const NO_VERSIONS: &str = "there are no versions";
const NO_CONDITIONS: &str = "writes know no conditions";
const LEADING: &str = "slashes before a key are cut off, so that two keys become one";

/// The checks, each with the reason.
pub(super) const LACKS: [(&str, &str); 39] = [
    ("storage class", "there is one"),
    ("tag count", "there are no tags"),
    ("put if absent", NO_CONDITIONS),
    ("put if match", NO_CONDITIONS),
    ("delete if match", NO_CONDITIONS),
    ("key: leading slash", LEADING),
    ("key: leading slashes", LEADING),
    (
        "key: slash alone",
        "a PUT of it is taken for that of a bucket",
    ),
    (
        "list start-after under a prefix",
        "a start before the prefix lists nothing",
    ),
    (
        "list v1 delimiter",
        "a page begins inside a common prefix and says it again",
    ),
    ("versioning state", NO_VERSIONS),
    ("versions", NO_VERSIONS),
    ("list versions", NO_VERSIONS),
    ("null version", NO_VERSIONS),
    ("suspended versioning", NO_VERSIONS),
    ("list versions in pages", NO_VERSIONS),
    ("list versions under a delimiter", NO_VERSIONS),
    ("missing version", NO_VERSIONS),
    ("list uploads", "uploads are in the order of their ids"),
    ("small part refused", "parts have no smallest size"),
    ("complete if absent", "a PUT of the key ends its uploads"),
    ("copy onto itself", "a copy that changes nothing is made"),
    ("copy of a version", NO_VERSIONS),
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
