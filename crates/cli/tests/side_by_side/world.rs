//! What a case finds: a folder with files, a store with objects, the same every time.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use sim::server::TestServer;
use store::model::{Attributes, ListQuery};
use tempfile::TempDir;

/// A folder and a store.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) server: TestServer,
}

/// All that is there afterwards, a line a thing.
pub(crate) type Content = BTreeMap<String, String>;

/// Seconds since 1970 of old files: older than every object.
const OLD: u64 = 1_577_836_800;

/// Seconds since 1970 of young files: newer than every object.
const YOUNG: u64 = 4_102_444_800;

/// Letters that name their place: a ramp modulo a prime.
fn ramp(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| b'a' + u8::try_from(i % 23).unwrap())
        .collect()
}

impl World {
    /// Makes the world of a name.
    pub(crate) async fn make(name: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        fs::create_dir(folder.path().join(".home")).unwrap();
        let server = TestServer::start().await;
        let world = World { folder, server };
        match name {
            "empty" => {}
            "bucket" => {
                world.server.create_bucket("bucket");
            }
            "objects" => world.objects(),
            "files" => {
                world.server.create_bucket("bucket");
                world.files();
            }
            "both" => {
                world.objects();
                world.files();
            }
            "awkward" => world.awkward(),
            "archive" => world.archive(),
            "versions" => world.versions(),
            other => panic!("no world is called {other}"),
        }
        world
    }

    /// A bucket with a few levels, another one with a part of it.
    fn objects(&self) {
        let server = &self.server;
        server.create_bucket("bucket");
        server.create_bucket("other");
        server.put("bucket", "a.txt", "alpha\n");
        server.put("bucket", "b.txt", "beta, longer\n");
        server.put("bucket", "dir/c.txt", "gamma\n");
        server.put("bucket", "dir/deep/d.bin", ramp(3_000));
        server.put("bucket", "dir/empty", "");
        server.put("bucket", "logs/2026/app.log.gz", ramp(5_000));
        server.put("bucket", "logs/2026/web.log", "web\n");
        server.put_with(
            "bucket",
            "meta.html",
            "<html>",
            Attributes {
                content_type: Some("text/html".to_owned()),
                cache_control: Some("max-age=60".to_owned()),
                metadata: BTreeMap::from([("color".to_owned(), "red".to_owned())]),
                ..Attributes::default()
            },
        );
        server.put_with(
            "bucket",
            "rare.bin",
            ramp(2_000),
            Attributes {
                storage_class: Some("STANDARD_IA".to_owned()),
                ..Attributes::default()
            },
        );
        server.put("other", "a.txt", "alpha\n");
        server.put("other", "b.txt", "beta\n");
        server.put("other", "extra", "extra\n");
    }

    fn files(&self) {
        for (path, bytes, time) in [
            ("a.txt", b"alpha\n".to_vec(), OLD),
            ("b.txt", b"a new beta\n".to_vec(), YOUNG),
            ("page.html", b"<html><body>x</body></html>".to_vec(), OLD),
            ("noext", b"<html><body>sniff</body></html>".to_vec(), OLD),
            ("raw", vec![0, 1, 2, 3, 255], OLD),
            ("dir/c.txt", b"gamma\n".to_vec(), OLD),
            ("dir/empty", Vec::new(), OLD),
            ("dir/sub/d.bin", ramp(3_000), OLD),
            ("dir/sub/e.json", b"{}".to_vec(), YOUNG),
            ("names/with space.txt", b"s".to_vec(), OLD),
            ("names/\u{e4}\u{f6}.txt", b"u".to_vec(), OLD),
            ("names/a+b&c=d.txt", b"p".to_vec(), OLD),
        ] {
            self.file(path, &bytes, time);
        }
        let work = self.folder.path().join("work");
        fs::create_dir(work.join("hollow")).unwrap();
        std::os::unix::fs::symlink("a.txt", work.join("link")).unwrap();
        std::os::unix::fs::symlink("dir", work.join("dirlink")).unwrap();
    }

    fn file(&self, path: &str, bytes: &[u8], time: u64) {
        let path = self.folder.path().join("work").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
        file.set_modified(time).unwrap();
    }

    /// Keys that tools stumble over, but that can be files.
    fn awkward(&self) {
        self.server.create_bucket("bucket");
        self.server.create_bucket("other");
        for key in [
            "with space",
            "plus+and&and=",
            "quo\"te'd",
            "\u{fc}ml\u{e4}ut",
            "emoji\u{1f600}",
            "per%20cent",
            "star*key",
            "question?key",
            "comma,key",
            "semi;colon",
            "hash#key",
            "folder/",
            "folder/file",
            "back\\slash",
        ] {
            self.server.put("bucket", key, key.as_bytes().to_vec());
        }
    }

    fn archive(&self) {
        self.objects();
        for class in ["GLACIER", "DEEP_ARCHIVE"] {
            self.server.put_with(
                "bucket",
                &format!("cold/{class}"),
                "frozen\n",
                Attributes {
                    storage_class: Some(class.to_owned()),
                    ..Attributes::default()
                },
            );
        }
        self.server.put("bucket", "cold/warm", "warm\n");
    }

    fn versions(&self) {
        let bucket = self.server.create_bucket("bucket");
        self.server
            .model()
            .set_versioning(&bucket, store::model::Versioning::Enabled)
            .unwrap();
        self.server.put("bucket", "k", "one\n");
        self.server.put("bucket", "k", "two!\n");
        self.server.put("bucket", "dir/l", "ell\n");
    }

    /// All that is there now: objects with what they carry, files with mode and bytes.
    pub(crate) fn content(&self) -> Content {
        let mut content = Content::new();
        for bucket in self.server.model().list_buckets() {
            let name = bucket.name.as_str();
            let versioning = self.server.model().versioning(&bucket.name).unwrap();
            content.insert(format!("s3://{name}"), format!("{versioning:?}"));
            for key in self.server.keys(name) {
                let object = self.server.object(name, &key).unwrap();
                let line = format!(
                    "{:?} {:?}",
                    preview(&object.body.to_bytes()),
                    object.attributes
                );
                content.insert(format!("s3://{name}/{key}"), line);
            }
            let whole = ListQuery {
                limit: usize::MAX,
                ..ListQuery::default()
            };
            let versions = self
                .server
                .model()
                .list_object_versions(&bucket.name, &whole, None)
                .unwrap();
            content.insert(
                format!("versions of s3://{name}"),
                versions.entries.len().to_string(),
            );
        }
        let work = self.folder.path().join("work");
        walk(&work, &work, &mut content);
        content
    }
}

fn preview(bytes: &[u8]) -> String {
    let sum: u64 = bytes
        .iter()
        .zip(1_u64..)
        .map(|(byte, place)| u64::from(*byte) * place)
        .sum();
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(24)]).into_owned();
    format!("{} bytes, sum {sum}, {head}", bytes.len())
}

fn walk(root: &Path, folder: &Path, content: &mut Content) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            content.insert(format!("{name}/"), "folder".to_owned());
            walk(root, &path, content);
        } else if metadata.is_symlink() {
            content.insert(name, "link".to_owned());
        } else {
            let bytes = preview(&fs::read(&path).unwrap());
            let mode = metadata.permissions().mode() & 0o777;
            content.insert(name, format!("{mode:o} {bytes}"));
        }
    }
}
