//! Indexes of every shape, and damaged ones.

use std::panic::{AssertUnwindSafe, catch_unwind};

use orch::snapshot::{Fault, Repository as _, Side};
use orch::source::RepoPath;

use super::{brief, raw_diff};
use crate::support::{Random, TestRepo};

fn some_files() -> TestRepo {
    let repo = TestRepo::new();
    for path in ["a", "a.b", "b/c", "b/d/e", "b/d/f", "c/d", "z"] {
        repo.write(path, path);
    }
    repo.commit("first");
    repo.write("b/d/e", "changed");
    repo.write("b/new", "new");
    repo.remove("z");
    repo.git(&["add", "--all"]);
    repo
}

#[test]
fn every_version_and_split_of_the_index_is_read() {
    let repo = some_files();
    let expected = ["M b/d/e", "A b/new", "D z"];
    for version in ["2", "3", "4"] {
        repo.git(&["update-index", "--index-version", version]);
        assert_eq!(brief(&repo.open().staged(&[]).unwrap().changes), expected, "{version}");
    }
    repo.git(&["update-index", "--split-index"]);
    repo.write("a", "replaced");
    repo.write("c/d", "changed");
    repo.write("c/new", "new");
    repo.git(&["add", "--all"]);
    let split = repo.open().staged(&[]).unwrap().changes;
    assert_eq!(split, raw_diff(&repo, &["diff", "--cached", "HEAD"]));
    repo.git(&["update-index", "--no-split-index", "--untracked-cache"]);
    repo.git(&["config", "index.skipHash", "true"]);
    repo.git(&["update-index", "--force-write-index"]);
    assert_eq!(repo.open().staged(&[]).unwrap().changes, split);
}

/// The length of a path has twelve bits; what is longer ends with a zero.
#[test]
fn long_paths_are_read_to_their_end() {
    let repo = some_files();
    let blob = repo.git(&["rev-parse", "HEAD:a"]);
    for length in [4093, 4094, 4095, 4096, 4097, 4999] {
        let folders = format!("{}/", "x".repeat(99)).repeat(length / 100);
        let path = format!("{folders}{}", "y".repeat(length % 100));
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
        for version in ["2", "4"] {
            repo.git(&["update-index", "--index-version", version]);
            let staged = repo.open().staged(&[]).unwrap().changes;
            assert_eq!(staged, raw_diff(&repo, &["diff", "--cached", "HEAD"]), "{length}");
            assert!(staged.iter().any(|change| change.path == path.as_str().into()), "{length}");
        }
    }
}

/// A commit of a folder that is remembered as a tree, and one that is not.
#[test]
fn remembered_trees_change_nothing() {
    let repo = some_files();
    let forgotten = repo.open().staged(&[]).unwrap();
    repo.git(&["write-tree"]);
    assert_eq!(repo.open().staged(&[]).unwrap(), forgotten);
    repo.git(&["read-tree", "HEAD"]);
    assert_eq!(repo.open().staged(&[]).unwrap().changes, []);
}

/// The names below a commit's folder are the same, whether its trees or the index tell them.
#[test]
fn names_are_told_alike_by_trees_and_by_the_index() {
    let repo = some_files();
    for (path, text) in [("b/d/g/h", "h"), ("b-1/x", "x"), ("b/d.e", "y")] {
        repo.write(path, text);
    }
    repo.commit("more");
    let told = |repo: &TestRepo, with_index: bool| {
        let git = repo.open();
        if with_index {
            git.node(Side::Index, &"a".into()).unwrap();
        }
        let head = Side::Commit(git.resolve("HEAD").unwrap());
        let mut told = Vec::new();
        for folder in ["b", "b/d", "b-1", "c", "nowhere", "a"] {
            let mut names = Vec::new();
            git.names(head, &folder.into(), &mut |name| names.push(name.to_vec())).unwrap();
            let listed = git.list(head, &folder.into()).unwrap();
            let listed =
                listed.iter().map(|(path, _)| path.as_bytes()[folder.len() + 1..].to_vec());
            assert_eq!(names, listed.collect::<Vec<_>>(), "{folder}");
            told.extend(names);
        }
        told
    };
    let index = repo.path().join(".git/index");
    let whole = std::fs::read(&index).unwrap();
    std::fs::remove_file(&index).unwrap();
    let by_trees = told(&repo, false);
    std::fs::write(&index, whole).unwrap();
    repo.git(&["read-tree", "HEAD"]);
    assert_eq!(told(&repo, true), by_trees);
    repo.write("b/d/e", "changed");
    repo.write("b/zz", "new");
    repo.git(&["add", "--all"]);
    assert_eq!(told(&repo, true), by_trees, "what is staged is not told of a commit");
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "c"]);
    assert_eq!(told(&repo, true), by_trees, "a sparse index");
}

/// A remembered tree of other entries than those that are there is not believed.
#[test]
fn a_remembered_tree_must_cover_its_entries() {
    let repo = some_files();
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.git(&["read-tree", "HEAD"]);
    let index = repo.path().join(".git/index");
    let extension = |bytes: &[u8]| {
        let start = bytes.windows(4).rposition(|window| window == b"TREE").unwrap();
        let size = u32::from_be_bytes(bytes[start + 4..start + 8].try_into().unwrap());
        start..start + 8 + size as usize
    };
    let agreed = std::fs::read(&index).unwrap();
    repo.write("b/new", "new");
    repo.write("zz", "new");
    repo.git(&["add", "b/new", "zz"]);
    let mut bytes = std::fs::read(&index).unwrap();
    let range = extension(&bytes);
    bytes.splice(range, agreed[extension(&agreed)].iter().copied());
    std::fs::write(&index, &bytes).unwrap();
    assert_eq!(brief(&repo.open().staged(&[]).unwrap().changes), ["A b/new", "A zz"]);
}

#[test]
fn no_index_at_all_is_an_empty_one() {
    let repo = some_files();
    repo.remove(".git/index");
    assert_eq!(repo.open().staged(&[]).unwrap().changes.len(), 7);
}

fn ask_everything(repo: &TestRepo) -> Result<(), Fault> {
    let git = repo.open();
    git.staged(&[])?;
    git.changes(Side::Index, Side::Nothing)?;
    git.list(Side::Index, &RepoPath::default())?;
    git.list(Side::Index, &"b".into())?;
    for path in ["a", "b/d/e", "b/d/e/x", "zz", "", "/", "b/"] {
        git.node(Side::Index, &path.into())?;
    }
    Ok(())
}

/// A damaged index is a fault or an answer, never a panic.
#[test]
fn damage_never_panics() {
    let repo = some_files();
    repo.git(&["write-tree"]);
    let index = repo.path().join(".git/index");
    let mut random = Random::new(59);
    for version in ["2", "4"] {
        repo.git(&["update-index", "--index-version", version]);
        let whole = std::fs::read(&index).unwrap();
        let mut faults = 0;
        for round in 0..400 {
            let mut bytes = whole.clone();
            match round % 10 {
                0 => bytes.truncate(random.below(whole.len())),
                1 => {
                    let (from, to) = (random.below(whole.len()), random.below(whole.len()));
                    bytes.copy_within(from..(from + 40).min(whole.len()), to.min(whole.len() - 40));
                }
                _ => {
                    for _ in 0..=random.below(3) {
                        let at = random.below(whole.len());
                        bytes[at] = u8::try_from(random.below(256)).unwrap();
                    }
                }
            }
            std::fs::write(&index, &bytes).unwrap();
            match catch_unwind(AssertUnwindSafe(|| ask_everything(&repo))) {
                Ok(answer) => faults += usize::from(answer.is_err()),
                Err(_) => panic!("version {version}, round {round} panicked"),
            }
        }
        assert!(faults > 40, "only {faults} of 400 were noticed");
        std::fs::write(&index, &whole).unwrap();
    }
}

/// Entries out of order would make a binary search lie; the fault says how to mend it.
#[test]
fn an_index_out_of_order_is_a_fault_with_the_way_out() {
    let repo = some_files();
    let index = repo.path().join(".git/index");
    let mut bytes = std::fs::read(&index).unwrap();
    let at = bytes.windows(4).position(|window| window == b"c/d\0").unwrap();
    bytes[at] = b'A';
    std::fs::write(&index, &bytes).unwrap();
    let fault = repo.open().staged(&[]).unwrap_err();
    assert!(fault.message.contains("the index is damaged"), "{fault}");
    assert!(fault.help.contains("rm \"$(git rev-parse --git-path index)\" && git reset"));
    let path = repo.git(&["rev-parse", "--git-path", "index"]);
    repo.remove(&path);
    repo.git(&["reset", "--quiet"]);
    assert_eq!(repo.open().staged(&[]).unwrap().changes, []);
}
