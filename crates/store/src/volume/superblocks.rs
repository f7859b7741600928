//! Making a volume, and saying durably that it is open once more.

use base::Clock;

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::StartError;
use crate::format::superblock::{Member, MemberState, SUPERBLOCK_BYTES, SUPERBLOCKS, Superblock};
use crate::format::{Damage, OpenCount, PAGE_BYTES, Sequence, StoreId, VolumeId};

/// Makes a volume, the only one of its store, on a disk that holds nothing.
///
/// # Errors
/// [`StartError::NotEmpty`], or [`StartError::Disk`].
pub(crate) fn format(
    disk: &dyn Disk,
    clock: &Clock,
    extent_bytes: u64,
) -> Result<StoreId, StartError> {
    let failed = |cause| StartError::Disk {
        place: disk.place(),
        cause,
    };
    let files = disk.files().map_err(failed)?;
    // Without one whole superblock and without any extent, it is what a crash of this very
    // function leaves behind.
    let unfinished = files
        .iter()
        .all(|file| matches!(file, DiskFile::Superblock(_)))
        && matches!(read(disk, None), Err(StartError::Superblocks { .. }));
    if !files.is_empty() && !unfinished {
        return Err(StartError::NotEmpty {
            place: disk.place(),
        });
    }
    let extent_pages = u32::try_from(extent_bytes / PAGE_BYTES)
        .map_err(|_| StartError::Options("an extent cannot be so large"))?;
    let (store, volume) = (StoreId::draw(clock), VolumeId::draw(clock));
    let superblock = Superblock {
        store,
        volume,
        extent_pages,
        set_epoch: 1,
        generation: 0,
        open_count: OpenCount(0),
        cut: Sequence(1),
        durable_mark: Sequence(1),
        owner: 0,
        members: vec![Member {
            volume,
            state: MemberState::Live,
            generation: 1,
        }],
    };
    for number in 0..SUPERBLOCKS {
        let file = DiskFile::Superblock(number);
        disk.create(file, SUPERBLOCK_BYTES as u64).map_err(failed)?;
    }
    write(disk, superblock)?;
    Ok(store)
}

/// The newest whole superblock.
///
/// # Errors
/// [`StartError`], which says why there is none, or that it is not for this store.
pub(crate) fn read(disk: &dyn Disk, expected: Option<StoreId>) -> Result<Superblock, StartError> {
    let failed = |cause| StartError::Disk {
        place: disk.place(),
        cause,
    };
    let files = disk.files().map_err(failed)?;
    if files.is_empty() {
        return Err(StartError::Empty {
            place: disk.place(),
        });
    }
    let mut newest: Option<Superblock> = None;
    let mut damage = Damage::Short;
    for number in 0..SUPERBLOCKS {
        let file = DiskFile::Superblock(number);
        let mut page = vec![0; SUPERBLOCK_BYTES];
        match disk.read_stored(file, 0, &mut page) {
            Ok(()) => {}
            Err(DiskError::Missing(_)) => continue,
            Err(cause) => return Err(failed(cause)),
        }
        match Superblock::decode(&page) {
            Ok(superblock) => {
                if newest
                    .as_ref()
                    .is_none_or(|other| other.generation < superblock.generation)
                {
                    newest = Some(superblock);
                }
            }
            // The other one may be older and readable: it must not be taken for the truth.
            Err(Damage::Newer { found }) => {
                return Err(StartError::Newer {
                    place: format!("{}/{file}", disk.place()),
                    found,
                });
            }
            Err(other) => damage = other,
        }
    }
    let superblock = newest.ok_or_else(|| StartError::Superblocks {
        place: disk.place(),
        damage,
    })?;
    match expected {
        Some(expected) if expected != superblock.store => Err(StartError::Stranger {
            place: disk.place(),
            expected,
            found: superblock.store,
        }),
        Some(_) | None => Ok(superblock),
    }
}

/// Writes both superblocks, one after the other, each of a newer generation: so a torn write, and
/// one that the disk lost, leave one that is whole and right.
///
/// # Errors
/// [`StartError::Disk`].
pub(crate) fn write(disk: &dyn Disk, superblock: Superblock) -> Result<Superblock, StartError> {
    let failed = |cause| StartError::Disk {
        place: disk.place(),
        cause,
    };
    let mut superblock = superblock;
    for _ in 0..SUPERBLOCKS {
        superblock.generation += 1;
        // The older one goes first: a generation always has its own place.
        let turn = superblock.generation % u64::from(SUPERBLOCKS);
        let file = DiskFile::Superblock(u8::from(turn == 1));
        disk.write(file, 0, &superblock.encode()).map_err(failed)?;
        disk.flush(file).map_err(failed)?;
    }
    Ok(superblock)
}
