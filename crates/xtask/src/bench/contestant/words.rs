//! The words with which each program does the work of a case.

use std::path::Path;

use super::super::cases::{Case, Payload, Store, Work};
use super::super::endpoint::Endpoint;
use super::Place;

/// Most objects that the AWS CLI is asked to move: at 10 ms each, more would take a run's minutes.
const OBJECTS_OF_AWS_MAX: u64 = 500;

/// The bucket of a case's objects.
fn bucket(case: &Case) -> String {
    let files = case.files();
    format!("keys-{}-{}", files.count, files.size)
}

/// Another bucket with the same objects.
fn twin(case: &Case) -> String {
    format!("{}-twin", bucket(case))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn files_folder(place: &Place<'_>) -> String {
    format!("{}/", place.files.as_deref().map(shown).unwrap_or_default())
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn longhaul(case: &Case, place: &Place<'_>) -> Vec<String> {
    let mut words = match case.work {
        Work::Relay(_) => owned(&[
            "--source-endpoint-url",
            &place.source.url,
            "--destination-endpoint-url",
            &place.destination.url,
        ]),
        _ => owned(&["--endpoint-url", &place.source.url]),
    };
    if case.payload == Payload::Unsigned {
        words.push("--unsigned-payload".to_owned());
    }
    if case.small_memory {
        words.extend(owned(&["--memory", "32MiB"]));
    }
    if let Some(trust) = &place.source.trust {
        words.extend(owned(&["--ca-bundle", &shown(trust)]));
    }
    let all = format!("s3://{}/*", bucket(case));
    let folder = files_folder(place);
    let into = format!("{}/", shown(&place.into));
    words.extend(match case.work {
        Work::Upload(_) => owned(&["cp", &folder, "s3://sent/"]),
        Work::Download(_) => owned(&["cp", &all, &into]),
        Work::Relay(_) | Work::Copy(_) => owned(&["cp", &all, "s3://sent/"]),
        Work::Head(_) => {
            let bucket = format!("s3://{}", bucket(case));
            owned(&[
                "exists",
                "--by",
                "head",
                "--keys",
                &shown(&place.keys),
                &bucket,
            ])
        }
        Work::List(_) => owned(&["ls", &all]),
        Work::SyncFiles(_) => owned(&["sync", &folder, &format!("s3://{}/", bucket(case))]),
        Work::SyncBuckets(_) => owned(&["sync", &all, &format!("s3://{}/", twin(case))]),
        Work::FirstByte(_) => owned(&["sync", &all, "s3://sent/"]),
    });
    words
}

pub(super) fn s5cmd(case: &Case, place: &Place<'_>) -> Result<Vec<String>, String> {
    if case.payload == Payload::Unsigned && !matches!(case.work, Work::Relay(_)) {
        return Err("it always signs what it uploads".to_owned());
    }
    let mut words = owned(&["--endpoint-url", &place.source.url]);
    let all = format!("s3://{}/*", bucket(case));
    let folder = files_folder(place);
    let into = format!("{}/", shown(&place.into));
    words.extend(match case.work {
        Work::Upload(_) => owned(&["cp", &folder, "s3://sent/"]),
        Work::Download(_) => owned(&["cp", &all, &into]),
        Work::Relay(_) => return Err("it knows one endpoint".to_owned()),
        Work::Copy(_) => owned(&["cp", &all, "s3://sent/"]),
        Work::Head(_) => owned(&["run", &shown(&place.s5cmd_lines)]),
        Work::List(_) => owned(&["ls", &all]),
        Work::SyncFiles(_) => owned(&["sync", &folder, &format!("s3://{}/", bucket(case))]),
        Work::SyncBuckets(_) => owned(&["sync", &all, &format!("s3://{}/", twin(case))]),
        Work::FirstByte(_) => owned(&["sync", &all, "s3://sent/"]),
    });
    Ok(words)
}

/// A remote of rclone, written in place.
fn remote(endpoint: &Endpoint, bucket: &str) -> String {
    format!(
        ":s3,provider=Other,env_auth=true,no_check_bucket=true,region=us-east-1,endpoint='{}':{bucket}",
        endpoint.url
    )
}

pub(super) fn rclone(
    case: &Case,
    place: &Place<'_>,
    verified: bool,
) -> Result<Vec<String>, String> {
    let from = remote(place.source, &bucket(case));
    let to = remote(place.destination, "sent");
    let folder = files_folder(place);
    let into = shown(&place.into);
    let mut words = match case.work {
        Work::Upload(_) => owned(&["copy", &folder, &to]),
        Work::Download(_) => owned(&["copy", &from, &into]),
        Work::Relay(_) | Work::Copy(_) => owned(&["copy", &from, &to]),
        // Of its ways to ask for every object by itself, the shortest.
        Work::Head(_) => owned(&["lsl", &from]),
        Work::List(_) => owned(&["lsf", "-R", "--files-only", "--fast-list", &from]),
        Work::SyncFiles(_) => owned(&["sync", "--size-only", "--fast-list", &folder, &from]),
        Work::SyncBuckets(_) => {
            let twin = remote(place.destination, &twin(case));
            owned(&["sync", "--size-only", "--fast-list", &from, &twin])
        }
        Work::FirstByte(_) => owned(&["sync", "--size-only", &from, &to]),
    };
    words.extend(owned(&["--transfers", "32", "--checkers", "32"]));
    if !matches!(case.work, Work::Head(_)) {
        words.push("--use-server-modtime".to_owned());
    }
    if case.payload == Payload::Unsigned || !verified {
        words.extend(owned(&["--s3-use-unsigned-payload", "true"]));
    }
    if !verified {
        words.extend(owned(&[
            "--s3-no-head",
            "--s3-disable-checksum",
            "--ignore-checksum",
        ]));
    }
    if let Some(trust) = &place.source.trust {
        words.extend(owned(&["--ca-cert", &shown(trust)]));
    }
    Ok(words)
}

pub(super) fn aws(case: &Case, place: &Place<'_>, url: &str) -> Result<Vec<String>, String> {
    if case.payload == Payload::Unsigned {
        return Err("it has no flag for unsigned payloads".to_owned());
    }
    let one_by_one = !matches!(case.work, Work::List(_) | Work::SyncFiles(_));
    if one_by_one && case.files().count > OBJECTS_OF_AWS_MAX {
        return Err("left out for its time: more than a minute a run".to_owned());
    }
    let mut words = owned(&["--endpoint-url", url, "s3"]);
    let from = format!("s3://{}/", bucket(case));
    let folder = files_folder(place);
    let into = shown(&place.into);
    let quiet = "--only-show-errors";
    words.extend(match case.work {
        Work::Upload(_) => owned(&["cp", "--recursive", quiet, &folder, "s3://sent/"]),
        Work::Download(_) => owned(&["cp", "--recursive", quiet, &from, &into]),
        Work::Relay(_) => return Err("it knows one endpoint".to_owned()),
        Work::Copy(_) => owned(&["cp", "--recursive", quiet, &from, "s3://sent/"]),
        Work::Head(_) => return Err("a process for each object".to_owned()),
        Work::List(_) => owned(&["ls", "--recursive", &from]),
        Work::SyncFiles(_) => owned(&["sync", quiet, &folder, &from]),
        Work::SyncBuckets(_) => owned(&["sync", quiet, &from, &format!("s3://{}/", twin(case))]),
        Work::FirstByte(_) => owned(&["sync", quiet, &from, "s3://sent/"]),
    });
    Ok(words)
}

pub(super) fn floor(case: &Case, place: &Place<'_>) -> Result<Vec<String>, String> {
    if case.store != Store::Plain {
        return Err("it speaks plain HTTP to stores with checksums".to_owned());
    }
    let verb = match case.work {
        Work::Upload(_) => "put",
        Work::Download(_) => "get",
        Work::Copy(_) => "copy",
        Work::Head(_) => "head",
        Work::List(_) => "list",
        Work::Relay(_) => "relay",
        Work::SyncFiles(_) | Work::SyncBuckets(_) | Work::FirstByte(_) => {
            return Err("it only moves and lists".to_owned());
        }
    };
    let address = |endpoint: &Endpoint| endpoint.url.replace("http://", "");
    let files = case.files();
    let mut words = owned(&[
        verb,
        &address(place.source),
        &address(place.destination),
        &files.count.to_string(),
        &files.size.to_string(),
    ]);
    match case.work {
        Work::Upload(_) => words.push(files_folder(place)),
        Work::Download(_) => words.push(shown(&place.into)),
        _ => words.push("-".to_owned()),
    }
    if case.payload == Payload::Signed {
        words.push("signed".to_owned());
    }
    Ok(words)
}
