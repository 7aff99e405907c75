//! What is kept under `.git/orch/cache` is never heard: cold, warm or damaged, orch says the same.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Random, Team};

/// Everything that judges or tells, in bytes, but for how long it took.
fn said(team: &Team) -> Vec<String> {
    let commands: [&[&str]; 8] = [
        &["guard", "--format", "json"],
        &["guard", "--base", "main~1", "--head", "main", "--branch", "main", "--format", "json"],
        &["verify", "--format", "json"],
        &["status", "--format", "json"],
        &["next", "--format", "json"],
        &["task", "list", "--format", "json"],
        &["task", "list", "--all", "--format", "json"],
        &["task", "show", "data-001", "--format", "json"],
    ];
    let told = commands.iter().map(|command| {
        let said = team.try_orch("", command);
        let mut told = said.json();
        told.as_object_mut().map(|map| map.remove("elapsed_ms"));
        format!("{}\n{told}{}", said.code, said.err)
    });
    told.collect()
}

fn cache(team: &Team) -> PathBuf {
    team.repo.path().join(".git/orch/cache")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect();
    found.sort();
    found
}

/// A team with closed, open, running and disputed work, whose staged change breaks a sealed file.
fn busy() -> Team {
    let team = Team::new();
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001"]);
    team.merge("feature/strat-001-strategy");
    for task in 2..12 {
        team.open(&format!("data-{task:03}"), "data_refresh", &[]);
    }
    team.commit("Open ten tasks");
    for task in 2..4 {
        let id = format!("data-{task:03}");
        team.orch(
            "orchestrator",
            &["task", "close", &id, "--outcome", "abandoned", "--reason", "x"],
        );
    }
    team.commit("Close two of them");
    // So large that its digest is kept.
    team.repo.write("strategies/pine_v6/new_strategy.pine", "buy = 2\n".repeat(50_000));
    team.repo.git(&["add", "--all"]);
    team
}

#[test]
fn a_cache_never_changes_what_is_said() {
    let team = busy();
    drop(fs::remove_dir_all(cache(&team)));
    let cold = said(&team);
    assert!(cold[0].contains("handoff-stale"), "{}", cold[0]);
    let kept = files(&cache(&team));
    for shelf in ["months", "ended", "blobs"] {
        let kept = files(&cache(&team).join(shelf));
        assert!(!kept.is_empty(), "nothing was kept of {shelf}");
    }
    assert_eq!(said(&team), cold, "warm");
    let mut random = Random::new(7);
    for round in 0..12 {
        for file in &kept {
            let mut bytes = fs::read(file).unwrap();
            let at = random.below(bytes.len().max(1));
            match round % 4 {
                0 => bytes.truncate(at),
                1 if !bytes.is_empty() => bytes[at] ^= 1 << (round % 8),
                2 => bytes = b"{}\n".to_vec(),
                _ => bytes.extend_from_slice(b"\nmore\n"),
            }
            fs::write(file, bytes).unwrap();
        }
        assert_eq!(said(&team), cold, "damaged, round {round}");
    }
    for file in &kept {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }
    assert_eq!(said(&team), cold, "folders in the place of files");
}

/// What is kept of one branch says nothing about another.
#[test]
fn each_side_has_its_own_month() {
    let team = busy();
    team.repo.git(&["stash", "--quiet"]);
    let sides = ["main", "main~1", "main~2", "main"].map(str::to_owned);
    let ask = |team: &Team, rev: &str| {
        team.repo.git(&["switch", "--quiet", "--detach", rev]);
        said(team)
    };
    let cold: Vec<_> = sides
        .iter()
        .map(|rev| {
            drop(fs::remove_dir_all(cache(&team)));
            ask(&team, rev)
        })
        .collect();
    for _ in 0..2 {
        for (rev, cold) in sides.iter().zip(&cold) {
            assert_eq!(ask(&team, rev), *cold, "{rev}");
        }
    }
}

/// What a file is called closes nothing: a list tells of a task what its ledger comes to.
#[test]
fn a_close_that_nobody_can_read_closes_nothing() {
    let team = Team::new();
    team.land_data();
    team.open("data-002", "data_refresh", &[]);
    team.commit("Open data-002");
    let ledger = files(&team.repo.path().join(".orch/tasks"));
    let opened = ledger.iter().find(|file| file.ends_with("data-002/0001-task.yaml")).unwrap();
    fs::write(opened.with_file_name("0002-close.yaml"), "close: {\n").unwrap();
    team.repo.git(&["add", "--all"]);
    team.repo.git(&["commit", "--quiet", "--no-verify", "--message", "Break it"]);
    for _ in 0..2 {
        let told = team.try_orch("", &["task", "list", "--all", "--format", "json"]).json();
        let stands = |at: usize| (told[at]["task_id"].clone(), told[at]["closed"].clone());
        assert_eq!(stands(0), ("data-001".into(), "completed".into()), "{told}");
        assert_eq!(stands(1), ("data-002".into(), serde_json::Value::Null), "{told}");
    }
}

/// A policy that no version would take is not taken because a file says that one did; a verification
/// looks again.
#[test]
fn a_verification_believes_nothing_that_was_kept() {
    let team = Team::new();
    let policy = team.repo.path().join(".orch/policy.yaml");
    let text = fs::read_to_string(&policy).unwrap().replace("human: true", "human: false");
    fs::write(&policy, &text).unwrap();
    team.repo.git(&["commit", "--quiet", "--no-verify", "--all", "--message", "Nobody"]);
    let refused = team.try_orch("", &["verify"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    let digest = orch::source::Digest::of(text.as_bytes());
    let forged = cache(&team).join("policies").join(digest.hex());
    fs::create_dir_all(forged.parent().unwrap()).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    fs::write(&forged, format!("orch-policy 2 {version} {digest}\n")).unwrap();
    assert_eq!(team.try_orch("", &["verify"]).err, refused.err);
}
