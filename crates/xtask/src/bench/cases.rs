//! What is measured: the table of cases.

use super::data::Files;

/// What a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Upload(Files),
    Download(Files),
    /// From one endpoint to another.
    Relay(Files),
    /// Inside one endpoint.
    Copy(Files),
    Head(Files),
    List(Files),
    /// A folder and a bucket that are equal already.
    SyncFiles(Files),
    /// Two buckets that are equal already.
    SyncBuckets(Files),
    /// From the start to the first object that is moved, out of a bucket of so many; then the run
    /// is interrupted.
    FirstByte(Files),
}

/// How an endpoint of a case behaves beside answering at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// Keeps checksums, over plain HTTP.
    Plain,
    /// The same over TLS.
    Tls,
    /// Knows no checksums; ETags are MD5s.
    Md5ETags,
}

/// How payloads are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    Signed,
    Unsigned,
}

/// What a case's main figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// CPU seconds of the client, user and system.
    Cpu,
    /// The same for each 10^9 bytes.
    CpuPerGb,
    /// Peak resident memory in MiB.
    Memory,
    /// Seconds until the first object moves.
    FirstByte,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// What `--case` looks for.
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) work: Work,
    pub(super) store: Store,
    pub(super) payload: Payload,
    pub(super) figure: Figure,
    /// What was set out to be reached, in the figure's unit.
    pub(super) goal: Option<f64>,
    /// What a minimal client takes, from the first measurements on another machine; what
    /// `floor` takes on this machine stands beside it.
    pub(super) floor: Option<f64>,
    /// Runs ours with `--memory 32MiB`.
    pub(super) small_memory: bool,
    /// Peers are left out: the case is about us alone, or would fill the machine's memory.
    pub(super) ours_alone: Option<&'static str>,
    /// Why we lose where we lose.
    pub(super) why: &'static str,
}

impl Case {
    fn new(name: &'static str, title: &str, work: Work) -> Case {
        Case {
            name,
            title: title.to_owned(),
            work,
            store: Store::Plain,
            payload: Payload::Signed,
            figure: Figure::Cpu,
            goal: None,
            floor: None,
            small_memory: false,
            ours_alone: None,
            why: "",
        }
    }

    fn per_gb(mut self) -> Case {
        self.figure = Figure::CpuPerGb;
        self
    }

    fn figure(mut self, figure: Figure) -> Case {
        self.figure = figure;
        self
    }

    fn goal(mut self, goal: f64) -> Case {
        self.goal = Some(goal);
        self
    }

    fn floor(mut self, floor: f64) -> Case {
        self.floor = Some(floor);
        self
    }

    fn over(mut self, store: Store) -> Case {
        self.store = store;
        self
    }

    fn unsigned(mut self) -> Case {
        self.payload = Payload::Unsigned;
        self
    }

    fn why(mut self, why: &'static str) -> Case {
        self.why = why;
        self
    }

    fn small_memory(mut self) -> Case {
        self.small_memory = true;
        self.figure = Figure::Memory;
        self.goal = Some(48.0);
        self.ours_alone = Some("peers' memory stands in the rows of the same work");
        self
    }

    fn ours_alone(mut self, reason: &'static str) -> Case {
        self.ours_alone = Some(reason);
        self
    }

    /// The objects it is about.
    pub(super) fn files(&self) -> Files {
        match self.work {
            Work::Upload(files)
            | Work::Download(files)
            | Work::Relay(files)
            | Work::Copy(files)
            | Work::Head(files)
            | Work::List(files)
            | Work::SyncFiles(files)
            | Work::SyncBuckets(files)
            | Work::FirstByte(files) => files,
        }
    }
}

/// SHA-256 of a body, which plain HTTP asks for.
const SHA256: &str = "a signed payload costs 0.5 CPU-s per GB for SHA-256, in one thread a body; \
                      CRT sends a trailer's checksum instead. `--unsigned-payload`, and TLS, do without";

/// Every case, in the order of the page. Quick ones are a tenth, so that their goals do not apply.
pub(super) fn all(quick: bool) -> Vec<Case> {
    let tenth = if quick { 10 } else { 1 };
    let files = |count: u64, size: u64| Files {
        count: count / tenth,
        size,
    };
    let small = files(10_000, 16_384);
    let large = files(200, 6_260_000);
    let huge = Files {
        count: 1,
        size: if quick { 1 << 28 } else { 1 << 32 },
    };
    let million = files(1_000_000, 16);
    let ten_million = files(10_000_000, 16);
    use Work::{Copy, Download, FirstByte, Head, List, Relay, SyncBuckets, SyncFiles, Upload};
    vec![
        Case::new(
            "upload-small",
            "upload 10,000 × 16 KiB, signed",
            Upload(small),
        )
        .goal(0.40)
        .floor(0.244),
        Case::new(
            "upload-small-unsigned",
            "upload 10,000 × 16 KiB, unsigned payload",
            Upload(small),
        )
        .unsigned()
        .goal(0.30)
        .floor(0.147),
        Case::new(
            "download-small",
            "download 10,000 × 16 KiB",
            Download(small),
        )
        .goal(0.32)
        .floor(0.183),
        Case::new(
            "relay-small",
            "relay 10,000 × 16 KiB, two endpoints",
            Relay(small),
        )
        .unsigned()
        .goal(0.30)
        .floor(0.160),
        Case::new("copy-small", "server-side copy of 10,000", Copy(small)).goal(0.15),
        Case::new("head-small", "HEAD 10,000", Head(small))
            .goal(0.12)
            .floor(0.060),
        Case::new(
            "upload-large",
            "upload 200 × 6.26 MB, signed, per GB",
            Upload(large),
        )
        .per_gb()
        .goal(1.05)
        .floor(0.92)
        .why(SHA256),
        Case::new(
            "upload-large-unsigned",
            "upload 200 × 6.26 MB, unsigned, per GB",
            Upload(large),
        )
        .per_gb()
        .unsigned()
        .goal(0.50)
        .floor(0.41),
        Case::new(
            "download-large",
            "download 200 × 6.26 MB, verified, per GB",
            Download(large),
        )
        .per_gb()
        .goal(0.60)
        .floor(0.57),
        Case::new(
            "relay-large",
            "relay 200 × 6.26 MB, unsigned, per GB",
            Relay(large),
        )
        .per_gb()
        .unsigned()
        .goal(0.42)
        .floor(0.38),
        Case::new(
            "upload-huge",
            "upload one 4 GiB object, signed, per GB",
            Upload(huge),
        )
        .per_gb()
        .goal(1.05)
        .why(SHA256),
        Case::new(
            "upload-huge-unsigned",
            "upload one 4 GiB object, unsigned, per GB",
            Upload(huge),
        )
        .per_gb()
        .unsigned()
        .goal(0.50),
        Case::new(
            "download-huge",
            "download one 4 GiB object, verified, per GB",
            Download(huge),
        )
        .per_gb()
        .goal(0.58)
        .floor(0.55),
        Case::new("list-million", "list 1 million keys", List(million)).goal(0.6),
        Case::new(
            "sync-files",
            "sync 100,000 equal files",
            SyncFiles(files(100_000, 16)),
        )
        .goal(0.5),
        Case::new(
            "sync-buckets",
            "sync 100,000 equal objects, bucket to bucket",
            SyncBuckets(files(100_000, 16)),
        ),
        Case::new(
            "sync-buckets-million",
            "sync 1 million equal objects, bucket to bucket",
            SyncBuckets(million),
        )
        .ours_alone("the row of 100,000 shows all; this one shows whether time is linear"),
        Case::new(
            "sync-buckets-memory",
            "sync 10 million equal objects, bucket to bucket: memory in MiB",
            SyncBuckets(ten_million),
        )
        .figure(Figure::Memory)
        .goal(96.0)
        .ours_alone("a peer would take more than 10 GB; the row of 100,000 shows all"),
        Case::new(
            "first-byte",
            "start to first byte on a bucket of 1 million",
            FirstByte(million),
        )
        .figure(Figure::FirstByte)
        .goal(1.0),
        Case::new(
            "first-byte-ten-million",
            "start to first byte on a bucket of 10 million",
            FirstByte(ten_million),
        )
        .figure(Figure::FirstByte)
        .goal(1.0)
        .ours_alone("a peer that lists first would take minutes and more than 10 GB"),
        Case::new(
            "tls-upload-small",
            "upload 10,000 × 16 KiB over TLS",
            Upload(small),
        )
        .over(Store::Tls),
        Case::new(
            "tls-download-small",
            "download 10,000 × 16 KiB over TLS",
            Download(small),
        )
        .over(Store::Tls),
        Case::new(
            "tls-download-large",
            "download 200 × 6.26 MB over TLS, per GB",
            Download(large),
        )
        .per_gb()
        .over(Store::Tls),
        Case::new(
            "md5-upload-small",
            "upload 10,000 × 16 KiB, a store of MD5 ETags",
            Upload(small),
        )
        .over(Store::Md5ETags),
        Case::new(
            "md5-upload-large",
            "upload 200 × 6.26 MB, a store of MD5 ETags, per GB",
            Upload(large),
        )
        .per_gb()
        .over(Store::Md5ETags)
        .goal(1.05 + 1.4),
        Case::new(
            "md5-download-large",
            "download 200 × 6.26 MB, a store of MD5 ETags, per GB",
            Download(large),
        )
        .per_gb()
        .over(Store::Md5ETags)
        .goal(0.60 + 1.4),
        Case::new(
            "memory-upload-small",
            "memory: upload 10,000 × 16 KiB, `--memory 32MiB`, MiB",
            Upload(small),
        )
        .small_memory(),
        Case::new(
            "memory-download-small",
            "memory: download 10,000 × 16 KiB, `--memory 32MiB`, MiB",
            Download(small),
        )
        .small_memory(),
        Case::new(
            "memory-upload-large",
            "memory: upload 200 × 6.26 MB, `--memory 32MiB`, MiB",
            Upload(large),
        )
        .small_memory(),
        Case::new(
            "memory-download-large",
            "memory: download 200 × 6.26 MB, `--memory 32MiB`, MiB",
            Download(large),
        )
        .small_memory(),
        Case::new(
            "memory-relay-large",
            "memory: relay 200 × 6.26 MB, `--memory 32MiB`, MiB",
            Relay(large),
        )
        .small_memory(),
        Case::new(
            "memory-sync-files",
            "memory: sync 100,000 equal files, MiB",
            SyncFiles(files(100_000, 16)),
        )
        .small_memory(),
    ]
}
