//! Jobs that are killed again and again, against a model that remembers everything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use super::*;

fn record() -> JobRecord {
    JobRecord {
        words: vec!["cp".to_owned()],
        version: String::new(),
        folder: PathBuf::from("/"),
        started_at: Timestamp::from_second(1).unwrap(),
        source_endpoint: String::new(),
        destination_endpoint: String::new(),
    }
}

/// A journal of the one job in `home`, as a process finds it that was just started.
fn reopen(home: &JobsHome) -> Arc<Journal> {
    let clock = Clock::system();
    let jobs = home.jobs().unwrap();
    let Some(job) = jobs.first() else {
        let journal = Journal::new(home.clone(), record(), clock);
        let mut state = journal.state.lock();
        journal.folder(&mut state);
        drop(state);
        return Arc::new(journal);
    };
    let locked = home.lock(&job.id).unwrap();
    Arc::new(Journal::resume(home.clone(), locked, clock).unwrap())
}

proptest! {
    // Each case is several processes, on a disk.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Runs that end in the middle, each object of them done, failed or still under way: the next
    /// run leaves alone exactly what was done.
    #[test]
    fn whatever_was_done_is_found_again_and_nothing_else(
        count in 1_usize..60,
        runs in vec((0_usize..60, 1_usize..8, vec(any::<u8>(), 150), any::<bool>()), 1..5),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let home = JobsHome::new(folder.path());
        let names: Vec<String> = (0..count).map(|at| format!("k/{at:03}")).collect();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for (stops_at, window, picks, flushes) in runs {
            let journal = reopen(&home);
            let mut picks = picks.into_iter();
            let mut under_way: BTreeMap<usize, Slip> = BTreeMap::new();
            for (at, name) in names.iter().enumerate().take(stops_at) {
                prop_assert_eq!(journal.was_done(name), done.contains(name.as_str()), "{}", name);
                if done.contains(name.as_str()) {
                    journal.pass(name);
                    continue;
                }
                under_way.insert(at, journal.take(name));
                while under_way.len() >= window {
                    let pick = usize::from(picks.next().unwrap_or(0));
                    let (&at, _) = under_way.iter().nth(pick % under_way.len()).unwrap();
                    let slip = under_way.remove(&at).unwrap();
                    if pick % 3 == 0 {
                        slip.again();
                    } else {
                        slip.done();
                        done.insert(names[at].as_str());
                    }
                    if flushes && pick % 5 == 0 {
                        journal.flush();
                        journal.state.lock().turn();
                    }
                }
            }
            prop_assert_eq!(journal.trouble(), None);
            drop(under_way);
        }
        let journal = reopen(&home);
        for name in &names {
            prop_assert_eq!(journal.was_done(name), done.contains(name.as_str()), "{}", name);
        }
    }
}

/// A log cut anywhere holds what was done before the cut: never more, and less only by what was
/// behind it.
#[test]
fn a_journal_cut_at_any_byte_holds_a_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let home = JobsHome::new(folder.path());
    let journal = reopen(&home);
    let names = ["a", "b", "c", "d", "e"];
    let slips = names.map(|name| journal.take(name));
    for (name, slip) in names.iter().zip(slips) {
        if *name == "c" {
            slip.again()
        } else {
            slip.done()
        }
    }
    let job = home.jobs().unwrap().remove(0);
    drop(journal);
    let log = job.path.join("run-0/names-0");
    let whole = std::fs::read(&log).unwrap();
    let mut so_far = 0;
    for cut in 0..=whole.len() {
        std::fs::write(&log, &whole[..cut]).unwrap();
        let layer = names::read(&job.path.join("run-0")).unwrap();
        let found: Vec<&str> = layer.beyond.iter().map(String::as_str).collect();
        assert!(["a", "b", "d", "e"].starts_with(&found), "{found:?}");
        assert!(found.len() >= so_far);
        so_far = found.len();
    }
    assert_eq!(so_far, 4);
}

#[test]
fn a_small_job_leaves_nothing_and_a_larger_one_a_folder_until_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let home = JobsHome::new(folder.path().join("jobs"));
    let journal = Arc::new(Journal::new(home.clone(), record(), Clock::system()));
    for at in 1..ENDED_BEFORE_MAX {
        journal.take(&format!("{at:05}")).done();
    }
    assert!(journal.id().is_none() && !home.path().exists());
    journal.take("01000").again();
    assert!(journal.id().is_some());
    journal.take("01001").done();
    let figures = Figures {
        listed: 7,
        ..Figures::default()
    };
    journal.write_figures(&figures);
    journal.finish(false);
    assert_eq!(home.jobs().unwrap()[0].figures, Some(figures));

    let journal = reopen(&home);
    let done = ["00001", "00999", "01000", "01001", "01002"].map(|name| journal.was_done(name));
    assert_eq!(done, [true, true, false, true, false]);
    journal.finish(true);
    assert!(home.jobs().unwrap().is_empty());
}
