//! Work that finds mistakes: awkward keys, sizes beside every boundary, and bytes that tell
//! their place. The same seed makes the same work.

mod names;
mod ramp;

use std::io;
use std::path::Path;

use base::ByteCount;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::TestServer;

pub use names::{AWKWARD_KEYS, AWKWARD_PATHS};
pub use ramp::ramp;

/// An object to be: its key, and what its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The key, or the path below the tree's root.
    pub key: String,
    /// Number of bytes.
    pub size: u64,
    /// Tells this item's bytes from all others'.
    pub seed: u64,
}

impl Item {
    /// The bytes: [`ramp`] of this item's size and seed.
    pub fn bytes(&self) -> Bytes {
        ramp(self.size, self.seed)
    }
}

/// Items in order of key, no two alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// The items.
    pub items: Vec<Item>,
}

/// What a workload is made of.
#[derive(Debug, Clone)]
pub struct Mix {
    /// Plain keys, some levels deep.
    pub plain: usize,
    /// Keys that S3 keeps and careless tools lose. Each at most once.
    pub awkward: bool,
    /// Sizes lie beside multiples of this, from none to `parts_max`.
    pub part_size: ByteCount,
    /// Most parts an item may come to. The largest item has a byte more.
    pub parts_max: u64,
}

impl Default for Mix {
    /// Small enough for any test: about a hundred items, none above 200 kB.
    fn default() -> Mix {
        Mix {
            plain: 60,
            awkward: true,
            part_size: ByteCount(64 << 10),
            parts_max: 3,
        }
    }
}

impl Workload {
    /// A bucket's worth of items.
    pub fn bucket(seed: u64, mix: &Mix) -> Workload {
        Workload::of(seed, mix, &AWKWARD_KEYS)
    }

    /// A local tree's worth of items: every key is a path that a file system takes.
    pub fn tree(seed: u64, mix: &Mix) -> Workload {
        Workload::of(seed, mix, &AWKWARD_PATHS)
    }

    fn of(seed: u64, mix: &Mix, awkward: &[&str]) -> Workload {
        let mut random = StdRng::seed_from_u64(seed);
        let plain = (0..mix.plain).map(|index| names::plain(index, &mut random));
        let mut keys: Vec<String> = plain.collect();
        if mix.awkward {
            keys.extend(awkward.iter().map(|key| (*key).to_owned()));
        }
        keys.sort_unstable();
        keys.dedup();
        let items = keys.into_iter().map(|key| Item {
            key,
            size: size(mix, &mut random),
            seed: random.random(),
        });
        Workload {
            items: items.collect(),
        }
    }

    /// The sum of all sizes.
    pub fn total_size(&self) -> ByteCount {
        ByteCount(self.items.iter().map(|item| item.size).sum())
    }

    /// Puts every item into a bucket of the model, below `prefix`.
    ///
    /// # Panics
    /// When the bucket is not there.
    pub fn fill(&self, server: &TestServer, bucket: &str, prefix: &str) {
        for item in &self.items {
            server.put(bucket, &format!("{prefix}{}", item.key), item.bytes());
        }
    }

    /// Writes every item as a file below `root`.
    ///
    /// # Errors
    /// The file system's; also for a key that is no path, as a bucket's may be.
    pub fn write_tree(&self, root: &Path) -> io::Result<()> {
        for item in &self.items {
            let path = root.join(&item.key);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(path, item.bytes())?;
        }
        Ok(())
    }

    /// What of this workload is missing or different in a bucket, and what is there besides, each
    /// as a line. Empty when the bucket below `prefix` holds exactly this.
    pub fn differences_in_bucket(
        &self,
        server: &TestServer,
        bucket: &str,
        prefix: &str,
    ) -> Vec<String> {
        let found = server.keys(bucket);
        let found = found.iter().filter_map(|key| key.strip_prefix(prefix));
        self.differences(found.map(str::to_owned).collect(), |key| {
            let object = server.object(bucket, &format!("{prefix}{key}"));
            object.map(|object| object.body.to_bytes())
        })
    }

    /// The same for the files below `root`. Folders do not count.
    ///
    /// # Errors
    /// The file system's.
    pub fn differences_in_tree(&self, root: &Path) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        collect_files(root, "", &mut found)?;
        Ok(self.differences(found, |key| {
            std::fs::read(root.join(key)).ok().map(Bytes::from)
        }))
    }

    fn differences(&self, found: Vec<String>, read: impl Fn(&str) -> Option<Bytes>) -> Vec<String> {
        let mut lines = Vec::new();
        for item in &self.items {
            match read(&item.key) {
                None => lines.push(format!("missing: {:?}", item.key)),
                Some(bytes) => {
                    if let Some(difference) = ramp::first_difference(&bytes, item.size, item.seed) {
                        lines.push(format!("different: {:?}: {difference}", item.key));
                    }
                }
            }
        }
        let extra = found.iter().filter(|key| {
            let place = self
                .items
                .binary_search_by(|item| item.key.as_str().cmp(key));
            place.is_err()
        });
        lines.extend(extra.map(|key| format!("extra: {key:?}")));
        lines
    }
}

/// A size beside a multiple of the part size; half of all are small.
fn size(mix: &Mix, random: &mut StdRng) -> u64 {
    let part = mix.part_size.get();
    if random.random_bool(0.5) {
        return random.random_range(0..=part.min(4 << 10));
    }
    let multiple = part * random.random_range(0..=mix.parts_max);
    match random.random_range(0..3_u8) {
        0 => multiple.saturating_sub(1),
        1 => multiple,
        _ => multiple + 1,
    }
}

fn collect_files(folder: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = format!("{prefix}{}", name.to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect_files(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_work() {
        let mix = Mix::default();
        assert_eq!(Workload::bucket(7, &mix), Workload::bucket(7, &mix));
        assert_ne!(Workload::bucket(7, &mix), Workload::bucket(8, &mix));
        let workload = Workload::bucket(7, &mix);
        assert!(workload.items.len() >= mix.plain + AWKWARD_KEYS.len() / 2);
        assert!(workload.items.is_sorted_by(|a, b| a.key < b.key));
    }

    #[tokio::test]
    async fn differences_are_named() {
        let server = TestServer::start().await;
        server.create_bucket("work");
        let workload = Workload::bucket(1, &Mix::default());
        workload.fill(&server, "work", "p/");
        assert_eq!(
            workload.differences_in_bucket(&server, "work", "p/"),
            Vec::<String>::new()
        );
        let item = workload.items.iter().find(|item| item.size > 1).unwrap();
        let mut bytes = item.bytes().to_vec();
        bytes[1] ^= 1;
        server.put("work", &format!("p/{}", item.key), bytes);
        server.put("work", "p/nobody asked", "");
        let lines = workload.differences_in_bucket(&server, "work", "p/");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("at byte 1"), "{lines:?}");
        server.shutdown().await;
    }

    #[test]
    fn a_tree_is_written_and_compared() {
        let root = tempfile::tempdir().unwrap();
        let workload = Workload::tree(3, &Mix::default());
        workload.write_tree(root.path()).unwrap();
        let differences = workload.differences_in_tree(root.path()).unwrap();
        assert_eq!(differences, Vec::<String>::new());
        std::fs::write(root.path().join("more"), "").unwrap();
        let differences = workload.differences_in_tree(root.path()).unwrap();
        assert_eq!(differences, ["extra: \"more\""]);
    }
}
