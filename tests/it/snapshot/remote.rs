//! Refs of another repository: what is there, and changing one as it is expected.

use orch::snapshot::{GitRepository, Oid, Pushed};

use crate::support::TestRepo;

const REF: &str = "refs/orch/claims/strat-1";

/// A clone of a bare repository, and one more.
fn clones() -> (TestRepo, TestRepo, TestRepo) {
    let repo = TestRepo::new();
    repo.commit("Begin");
    let server = repo.clone_to("server.git", &["--bare"]);
    let [one, two] = ["one", "two"].map(|name| server.clone_to(name, &[]));
    (server, one, two)
}

#[track_caller]
fn done(repository: &GitRepository, before: Option<Oid>, after: Option<Oid>) {
    assert_eq!(repository.push_ref("origin", REF, before, after).unwrap(), Pushed::Done);
}

#[track_caller]
fn refused(repository: &GitRepository, before: Option<Oid>, after: Option<Oid>) {
    let pushed = repository.push_ref("origin", REF, before, after).unwrap();
    assert!(matches!(&pushed, Pushed::Refused(why) if why.contains("rejected")), "{pushed:?}");
}

/// A ref is created where none is, moved and removed where it stands as expected, and else left alone.
#[test]
fn a_ref_changes_as_it_is_expected_or_not_at_all() {
    let (server, one, two) = clones();
    let (one, two) = (one.open(), two.open());
    let first = one.empty_commit("First\n", None).unwrap();
    let second = two.empty_commit("Second\n", None).unwrap();
    done(&one, None, Some(first));
    refused(&two, None, Some(second));
    refused(&two, Some(second), Some(second));
    refused(&two, Some(second), None);
    assert_eq!(two.remote_refs("origin", REF).unwrap(), [(REF.to_owned(), first)]);
    two.fetch_objects("origin", &[first]).unwrap();
    assert_eq!(two.commit_meta(first).unwrap().message, "First\n");
    let third = two.empty_commit("Third\n", Some(first)).unwrap();
    assert_eq!(two.commit_meta(third).unwrap().parents, [first]);
    done(&two, Some(first), Some(third));
    refused(&one, Some(first), None);
    done(&two, Some(third), None);
    refused(&two, Some(third), None);
    assert_eq!(server.git(&["for-each-ref", "refs/orch"]), "");
}

/// The end of another name is no beginning of one, nor is a longer name the same.
#[test]
fn refs_are_found_by_how_their_names_begin() {
    let (server, one, _two) = clones();
    for name in [REF, "refs/orch/claims/strat-10", "refs/heads/refs/orch/claims/strat-1"] {
        server.git(&["update-ref", name, "HEAD"]);
    }
    let refs = one.open().remote_refs("origin", "refs/orch/claims/").unwrap();
    let names: Vec<&str> = refs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [REF, "refs/orch/claims/strat-10"]);
}

/// What is brought here leaves no trace that others read, and what is not there is a fault.
#[test]
fn fetching_leaves_no_mark() {
    let (server, one, two) = clones();
    let commit = one.open().empty_commit("Apart\n", None).unwrap();
    done(&one.open(), None, Some(commit));
    let before = two.git(&["for-each-ref"]);
    let repository = two.open();
    repository.fetch_objects("origin", &[commit]).unwrap();
    assert_eq!(repository.commit_meta(commit).unwrap().message, "Apart\n");
    assert!(!two.path().join(".git/FETCH_HEAD").exists());
    assert_eq!(two.git(&["for-each-ref"]), before);
    let unknown = Oid::from_hex(&"7".repeat(40)).unwrap();
    assert!(repository.fetch_objects("origin", &[unknown]).is_err());
    std::fs::remove_dir_all(server.path()).unwrap();
    for fault in [
        repository.remote_refs("origin", REF).unwrap_err(),
        repository.push_ref("origin", REF, None, Some(commit)).unwrap_err(),
    ] {
        assert!(fault.message.starts_with("the remote `origin` gives no answer: fatal"), "{fault}");
    }
}
