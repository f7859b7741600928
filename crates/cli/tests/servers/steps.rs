//! What is tried, one step after the other.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, Ours, ensure};

type Outcome = Result<(), String>;

/// A step's name on the page, and what it does.
type Step = (&'static str, fn(&Bench) -> Outcome);

/// Every step, in order.
pub(crate) const STEPS: [Step; 18] = [
    ("mb, ls, rb", buckets),
    ("cp up and down", up_and_down),
    ("cp inside, metadata", metadata),
    ("mv", moved),
    ("sync, sync --delete", synced),
    ("pipe, cat, head, du, rm", looked_at),
    ("presign", presigned),
    ("relay to", relay_to),
    ("relay from", relay_from),
    ("tags go along", tags),
    ("--preserve-acl", access_list),
    ("exists", exists),
    ("verify, --manifest, --read", verified),
    ("resume after a kill", resumed),
    ("uploads ls", uploads),
    ("doctor", doctor),
    ("doctor, wrong secret", doctor_wrong_secret),
    ("sync --versions", versions),
];

fn buckets(bench: &Bench) -> Outcome {
    let bucket = format!("s3://{}", bench.bucket);
    bench.done(&["mb", &bucket])?;
    ensure(bench.done(&["ls"])?.contains(&bucket), "not listed")?;
    bench.done(&["rb", &bucket])?;
    ensure(!bench.done(&["ls"])?.contains(&bucket), "still listed")
}

fn up_and_down(bench: &Bench) -> Outcome {
    bench.upload()?;
    bench.done(&["cp", &bench.url("in/*"), "out/"])?;
    bench.holds_all("out")
}

fn metadata(bench: &Bench) -> Outcome {
    bench.upload()?;
    let (from, named, kept, replaced) = (
        bench.url("in/note.txt"),
        bench.url("named"),
        bench.url("kept"),
        bench.url("replaced"),
    );
    let flags = ["--metadata", "colour=blue", "--content-type", "text/x-note"];
    bench.done(&[&["cp"][..], &flags, &[&from, &named]].concat())?;
    bench.done(&["cp", &named, &kept])?;
    let head = bench.done(&["head", &kept])?;
    let carried = head.contains("blue") && head.contains("text/x-note");
    ensure(carried, format!("lost in a copy: {head}"))?;
    let replace = ["--metadata-directive", "REPLACE", "--content-type", "a/b"];
    bench.done(&[&["cp"][..], &replace, &[&named, &replaced]].concat())?;
    let head = bench.done(&["head", &replaced])?;
    let fresh = !head.contains("blue") && head.contains("a/b");
    ensure(fresh, format!("not replaced: {head}"))
}

fn moved(bench: &Bench) -> Outcome {
    bench.upload()?;
    bench.done(&["mv", &bench.url("in/*"), &bench.url("there/")])?;
    let (code, ..) = bench.run(&["head", &bench.url("in/note.txt")]);
    ensure(code == Some(1), "the source is still there")?;
    bench.done(&["mv", &bench.url("there/*"), "out/"])?;
    bench.holds_all("out")
}

fn synced(bench: &Bench) -> Outcome {
    bench.upload()?;
    let (from, to) = (bench.url("in/*"), bench.url("copy/"));
    bench.done(&["sync", &from, &to])?;
    let again = bench.done(&["sync", &from, &to])?;
    ensure(again.is_empty(), format!("copied twice: {again}"))?;
    bench.done(&["rm", &bench.url("in/note.txt")])?;
    bench.done(&["sync", "--delete", "--max-delete", "1", &from, &to])?;
    let (code, ..) = bench.run(&["head", &bench.url("copy/note.txt")]);
    ensure(code == Some(1), "not deleted")
}

fn looked_at(bench: &Bench) -> Outcome {
    bench.upload()?;
    let piped = bench.url("piped.json");
    let mut pipe = bench.command(&["pipe", &piped]);
    let mut child = pipe.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{}").unwrap();
    ensure(child.wait().unwrap().success(), "pipe")?;
    ensure(bench.done(&["cat", &piped])?.trim_end() == "{}", "cat")?;
    let head = bench.done(&["head", &piped])?;
    ensure(head.contains("application/json"), head)?;
    let sum = bench.done(&["du", &bench.url("in/*")])?;
    ensure(sum.contains("100009 bytes in 4 objects"), sum)?;
    bench.done(&["rm", &bench.url("*")])?;
    let (code, ..) = bench.run(&["ls", &bench.url("*")]);
    ensure(code == Some(1), "not empty")
}

fn presigned(bench: &Bench) -> Outcome {
    bench.upload()?;
    let url = bench.done(&["presign", &bench.url("in/note.txt")])?;
    let rest = url.trim().strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    ensure(answer.ends_with("hello\n"), answer)
}

fn relay_to(bench: &Bench) -> Outcome {
    bench.done(&["mb", bench.url("").trim_end_matches('/')])?;
    bench.ours.put("ours", "in/note.txt", "hello\n");
    bench.ours.put("ours", "in/empty", "");
    bench.ours.put("ours", "in/large", vec![7_u8; 17 << 20]);
    let to = bench.url("in/");
    bench.relayed(&Ours::Source, &["cp", "s3://ours/in/*", &to])?;
    bench.relayed(&Ours::Source, &["verify", "--read", "s3://ours/in/*", &to])?;
    // By size: the source is a moment old, and some stores cut times to seconds.
    let again = ["sync", "--size-only", "s3://ours/in/*", &to];
    let again = bench.relayed(&Ours::Source, &again)?;
    ensure(again.is_empty(), format!("copied twice: {again}"))
}

fn relay_from(bench: &Bench) -> Outcome {
    bench.upload()?;
    let from = bench.url("in/*");
    bench.relayed(&Ours::Destination, &["sync", &from, "s3://ours/in/"])?;
    let read = ["verify", "--read", &from, "s3://ours/in/"];
    bench.relayed(&Ours::Destination, &read).map(drop)
}

fn tags(bench: &Bench) -> Outcome {
    bench.done(&["mb", bench.url("").trim_end_matches('/')])?;
    bench
        .ours
        .put_tagged("ours", "tagged", &[("team", "music")]);
    let strict = ["--strict", "cp", "s3://ours/tagged", &bench.url("tagged")];
    bench.relayed(&Ours::Source, &strict)?;
    let back = ["--strict", "cp", &bench.url("tagged"), "s3://ours/back"];
    bench.relayed(&Ours::Destination, &back)?;
    let tags = bench.ours.tags("ours", "back");
    let right = [("team".to_owned(), "music".to_owned())];
    ensure(tags == right, format!("{tags:?} came back"))
}

fn access_list(bench: &Bench) -> Outcome {
    bench.done(&["mb", bench.url("").trim_end_matches('/')])?;
    bench.ours.put("ours", "k", "x");
    let to = bench.url("k");
    let strict = ["--strict", "cp", "--preserve-acl", "s3://ours/k", &to];
    bench.relayed(&Ours::Source, &strict).map(drop)
}

fn exists(bench: &Bench) -> Outcome {
    bench.upload()?;
    let bucket = bench.url("");
    let two = bench.done(&["exists", &bucket, "in/note.txt", "in/nothing"])?;
    let right = "present\tin/note.txt\nabsent\tin/nothing\n";
    ensure(two == right, two)?;
    let many: String = (0..2_000).map(|at| format!("in/{at:04}\n")).collect();
    std::fs::write(bench.path("keys"), many + "in/note.txt\n").unwrap();
    let flags = ["--missing-only", "--record-missing", "missing", "--keys"];
    let absent = bench.done(&[&["exists"][..], &flags, &["keys", &bucket]].concat())?;
    ensure(absent.lines().count() == 2_000, "not all are absent")?;
    let kept = std::fs::read_to_string(bench.path("missing")).unwrap();
    ensure(kept.lines().count() == 2_000, "not all are recorded")?;
    let (code, printed, _) = bench.run(&["exists", "s3://not-there-at-all", "k"]);
    ensure(code == Some(1) && printed == "unknown\tk\n", printed)
}

fn verified(bench: &Bench) -> Outcome {
    bench.upload()?;
    let (from, to) = (bench.url("in/*"), bench.url("copy/"));
    bench.done(&["--manifest", "m.csv", "cp", &from, &to])?;
    bench.done(&["verify", &from, &to])?;
    bench.done(&["--strict", "verify", "--read", &from, &to])?;
    let manifest = ["verify", "--manifest", "m.csv", "--read"];
    bench.done(&[&["--strict"][..], &manifest, &[&to]].concat())?;
    bench.done(&["rm", &bench.url("copy/note.txt")])?;
    let (code, printed, _) = bench.run(&["verify", "--manifest", "m.csv", &to]);
    ensure(code == Some(1) && printed.starts_with("missing\t"), printed)
}

/// A process that is killed when it is let go of.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn resumed(bench: &Bench) -> Outcome {
    bench.done(&["mb", bench.url("").trim_end_matches('/')])?;
    let to = bench.url("in/");
    let mut run = Killed(
        bench
            .command(&["--bandwidth", "6MB/s", "cp", "-p", "5", "in/", &to])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    // Its upload is under way once it is written down.
    while bench.done(&["uploads", "ls"])?.is_empty() {
        if Instant::now() > deadline || matches!(run.0.try_wait(), Ok(Some(_))) {
            return Err("no upload was seen under way".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(run);
    bench.done(&["resume", "--last"])?;
    bench.done(&["cp", &bench.url("in/*"), "out/"])?;
    bench.holds_all("out")?;
    ensure(bench.done(&["jobs"])?.is_empty(), "a job is left")
}

fn uploads(bench: &Bench) -> Outcome {
    bench.upload()?;
    let left = bench.done(&["uploads", "ls", bench.url("").trim_end_matches('/')])?;
    ensure(left.is_empty(), left)
}

fn doctor(bench: &Bench) -> Outcome {
    bench.upload()?;
    bench.done(&["doctor", &bench.url("in/*"), &bench.url("copy/")])?;
    let (code, printed, _) = bench.run(&["doctor", "s3://not-there-at-all/"]);
    ensure(code == Some(1) && printed.contains("MISSING"), printed)
}

fn doctor_wrong_secret(bench: &Bench) -> Outcome {
    bench.upload()?;
    let mut command = bench.command(&["doctor", &bench.url("in/*")]);
    let output = command.env("AWS_SECRET_ACCESS_KEY", "wrong").output();
    let output = output.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = output.status.code() == Some(1) && printed.contains("to mend it");
    ensure(found, printed)
}

fn versions(bench: &Bench) -> Outcome {
    let (from, to) = (bench.bucket.clone(), format!("{}-copy", bench.bucket));
    for bucket in [&from, &to] {
        let url = format!("s3://{bucket}");
        bench.done(&["mb", &url])?;
        bench.done(&["bucket-version", "--set", "Enabled", &url])?;
    }
    for text in ["one", "two"] {
        std::fs::write(bench.path("in/note.txt"), text).unwrap();
        bench.done(&["cp", "in/note.txt", &format!("s3://{from}/note")])?;
    }
    let (all, there) = (format!("s3://{from}/*"), format!("s3://{to}/"));
    bench.done(&["sync", "--versions", &all, &there])?;
    let listed = bench.done(&["ls", "--all-versions", &format!("s3://{to}/*")])?;
    ensure(listed.lines().count() == 2, listed)
}
