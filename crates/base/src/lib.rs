//! What every other crate shares: ids, units, checksums, limits, faults, time, tasks and flow.
//!
//! Nothing here opens a socket or knows a cloud.

pub mod checksum;
pub mod clock;
pub mod fault;
pub mod flow;
pub mod ids;
pub mod limits;
pub mod redact;
pub mod tasks;
pub mod units;

pub use checksum::{Checksum, ChecksumAlgorithm, Crc64Nvme, Sealed};
pub use clock::Clock;
pub use fault::Fault;
pub use ids::{BucketName, ETag, Key, UploadId, VersionId};
pub use units::ByteCount;
