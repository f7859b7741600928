//! What moto 5 lacks.

/// The checks, each with the reason.
pub(super) const LACKS: [(&str, &str); 16] = [
    ("key: line ends and tabs", "its router matches no line ends"),
    (
        "list v1 delimiter",
        "max-keys does not count common prefixes",
    ),
    ("versions", "a removed delete marker is not said"),
    (
        "suspended versioning",
        "a null version takes others with it",
    ),
    ("part after abort", "answers 500"),
    ("part order refused", "parts are sorted"),
    ("checksum of a multipart object", "none is kept"),
    ("wrong whole checksum refused", "none is compared"),
    ("whole size beside a part", "no Content-Range"),
    ("copy if match", "the condition is not known"),
    ("part copy if match", "the condition is not known"),
    (
        "presigned for one key and method",
        "signatures are not checked",
    ),
    ("wrong tags refused", "a tag twice is taken"),
    ("acl by grant", "a grant to a group is lost"),
    (
        "object lock of a bucket",
        "versioning can be suspended all the same",
    ),
    ("tags", "an empty set of tags is answered with 500"),
];
