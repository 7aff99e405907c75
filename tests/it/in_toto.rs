//! Attestations through the binary: signed with real keys, read and verified by the reference
//! implementations where Python has them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::readme;
use crate::support::{Agent, Said, Team, TestRepo, key, must_run, public};

const AT: [&str; 2] = ["--at", "2099-01-01T00:00:00Z"];

/// Lets Git sign with a key.
fn sign_with(team: &Team, key: &str) {
    team.repo.git(&["config", "gpg.format", "ssh"]);
    team.repo.git(&["config", "user.signingKey", key]);
}

/// A team whose data landed.
fn landed() -> Team {
    let team = Team::new();
    team.land_data();
    sign_with(&team, &key(&team.repo, "own", &["ed25519"]));
    team
}

/// A team whose strategy went live, and the key that Git signs with.
fn live() -> (Team, String) {
    let team = Team::new();
    team.finish_strategy();
    let own = key(&team.repo, "own", &["ed25519"]);
    sign_with(&team, &own);
    (team, own)
}

fn export(team: &Team, more: &[&str]) -> Said {
    team.try_orch("", &[&["export", "in-toto"], &AT[..], more].concat())
}

/// Gives the statements that were printed bare.
fn statements(team: &Team, more: &[&str]) -> Vec<Value> {
    let said = export(team, &[&["--unsigned"], more].concat());
    assert_eq!(said.code, 0, "{said:#?}");
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn types(statements: &[Value]) -> Vec<&str> {
    statements.iter().map(|one| one["predicateType"].as_str().unwrap()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Tells whether a Python has in-toto's and DSSE's own packages.
fn has_packages(python: &mut Command) -> bool {
    python.args(["-c", "import in_toto_attestation, securesystemslib, cryptography"]);
    python.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs the script that verifies with these packages; gives none where Python has them not.
fn verified(key: &str, files: &[PathBuf]) -> Option<Said> {
    if !has_packages(&mut Command::new("python3")) {
        return None;
    }
    let script = format!("{}/fixtures/in_toto/verify.py", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.args([&script, &format!("{key}.pub")]).args(files);
    Some(Said::from(&command.output().unwrap()))
}

/// All predicates of a whole life, the same bytes each time, and only for what stands at the commit.
#[test]
fn a_commit_is_attested_and_the_same_each_time() {
    let (team, _) = live();
    let all = statements(&team, &[]);
    let (last, rest) = all.split_last().unwrap();
    assert_eq!(last["predicateType"], "https://slsa.dev/verification_summary/v1");
    let head = team.repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(last["subject"][0]["digest"]["gitCommit"], head);
    assert_eq!(last["predicate"]["timeVerified"], "2099-01-01T00:00:00Z");
    let tests = "https://in-toto.io/attestation/test-result/v0.1";
    assert!(types(rest).iter().all(|kind| *kind == tests || kind.starts_with("urn:uuid:")));
    let tested = |one: &&Value| one["predicateType"] == tests;
    // The backtest's gate and the audit; the other gates ask nothing.
    assert_eq!(rest.iter().filter(tested).count(), 2, "{rest:#?}");

    let schema: Value = serde_json::from_str(&team.orch("", &["schema", "attestation"])).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for statement in rest.iter().filter(|one| !tested(one)) {
        let faults: Vec<String> =
            schema.iter_errors(&statement["predicate"]).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}: {statement:#}");
    }

    let signed = export(&team, &[]);
    assert_eq!(signed.out.lines().count(), all.len(), "{signed:#?}");
    assert_eq!(export(&team, &[]).out, signed.out);
    let before = export(&team, &["HEAD~1"]);
    assert_eq!(before.code, 0, "{before:#?}");
    assert_ne!(before.out, signed.out);
}

#[test]
fn one_task_is_attested_alone() {
    let team = landed();
    let own = statements(&team, &["--task", "data-001"]);
    let urn = own[0]["predicateType"].as_str().unwrap();
    assert!(urn.starts_with("urn:uuid:") && urn.ends_with("#record/v1"), "{urn}");
    assert_eq!(own[0]["predicate"]["handoff"]["task_id"], "data-001");
    assert!(types(&own).iter().all(|kind| !kind.contains("summary")));
    let unknown = export(&team, &["--task", "data-002"]);
    assert!(unknown.fault().contains("did you mean `data-001`?"), "{unknown:#?}");
}

/// A file each, under the names of the records; all of them or none.
#[test]
fn a_folder_is_written_whole_or_not_at_all() {
    let team = landed();
    let folder = team.repo.path().join("attestations");
    let said = export(&team, &["--output", "attestations"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("signed with SHA256:"), "{said:#?}");
    let written = files(&folder);
    let printed = export(&team, &[]).out;
    assert_eq!(written.len(), printed.lines().count());
    for file in &written {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(file.to_str().unwrap().ends_with(".intoto.jsonl") && text.lines().count() == 1);
        assert!(printed.contains(&text), "{}", file.display());
    }
    assert!(written.contains(&folder.join("verification_summary.intoto.jsonl")));

    let again = export(&team, &["--output", "attestations"]);
    assert!(again.denied().contains("holds something"), "{again:#?}");
    assert_eq!(files(&folder), written);
    for taken in [".orch/attestations", ".git/x"] {
        export(&team, &["--output", taken]).denied();
    }
    let bare = export(&team, &["--unsigned", "--output", "bare"]);
    assert!(bare.out.contains("unsigned"), "{bare:#?}");
    let listed = std::fs::read_dir(team.repo.path()).unwrap();
    let left = listed
        .filter(|one| one.as_ref().unwrap().file_name().to_string_lossy().starts_with(".orch-"));
    assert_eq!(left.count(), 0);
}

/// What `orch verify` refuses is not attested, in any form.
#[test]
fn nothing_is_attested_of_a_commit_that_does_not_hold() {
    let team = landed();
    team.edit(&team.record("data-001", "close"), "Valid", "Void");
    team.smuggle("A small thing");
    for more in [&[][..], &["--unsigned"], &["--task", "data-001"], &["--output", "attestations"]] {
        let said = export(&team, more);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:#?}");
        assert!(said.checks().contains(&"record-modified"), "{said:#?}");
    }
    assert!(!team.repo.path().join("attestations").exists());
}

/// Nothing is said of nothing. Who can't sign learns what to do: no key, one of another kind, one behind
/// a passphrase.
#[test]
fn a_key_that_cannot_sign_is_told_of() {
    let team = Team::new();
    let nothing = export(&team, &["--unsigned"]);
    assert!(nothing.denied().contains("nothing on the record"), "{nothing:#?}");
    team.land_data();
    let none = export(&team, &[]);
    assert!(none.fault().contains("gpg.format ssh"), "{none:#?}");
    sign_with(&team, &key(&team.repo, "ecdsa", &["ecdsa", "-b", "256"]));
    let other = export(&team, &[]);
    assert!(other.fault().contains("ecdsa-sha2-nistp256"), "{other:#?}");
    let locked = team.repo.root().join("locked");
    let make = ["-q", "-t", "ed25519", "-N", "passphrase", "-C", "x", "-f"];
    must_run(Command::new("ssh-keygen").args(make).arg(&locked));
    sign_with(&team, locked.to_str().unwrap());
    let said = export(&team, &[]);
    assert!(said.fault().contains("ssh-add"), "{said:#?}");
    assert_eq!(export(&team, &["--unsigned"]).code, 0);
}

/// A real agent that holds the key signs the same bytes as the key's file does, however Git names the key;
/// where the file is locked, nobody else can.
#[test]
fn an_agent_signs_as_the_file_does() {
    let team = Team::new();
    team.land_data();
    let own = key(&team.repo, "own", &["ed25519"]);
    sign_with(&team, &own);
    let by_file = export(&team, &[]);
    assert_eq!(by_file.code, 0, "{by_file:#?}");
    sign_with(&team, &format!("{own}.pub"));
    assert_eq!(export(&team, &[]).out, by_file.out, "the public half stands beside the secret one");

    let agent = Agent::holding(&team.repo, &own);
    let with_agent = team.with_variable("SSH_AUTH_SOCK", agent.socket());
    must_run(Command::new("ssh-keygen").args([
        "-q",
        "-p",
        "-P",
        "",
        "-N",
        "passphrase",
        "-f",
        &own,
    ]));
    let literal = format!("key::{}", public(&own));
    for named in [own.as_str(), &format!("{own}.pub"), &literal] {
        sign_with(&team, named);
        let by_agent = export(&with_agent, &[]);
        assert_eq!((by_agent.out.as_str(), by_agent.code), (by_file.out.as_str(), 0), "{named}");
        assert!(export(&team, &[]).fault().contains("ssh-add"), "{named}");
    }
}

/// The reference implementations read every statement and verify every signature, and nothing that was
/// changed, or that another key signed. Where Python has them not, this passes.
#[test]
fn the_reference_implementations_verify_what_is_signed() {
    let (team, own) = live();
    assert_eq!(export(&team, &["--output", "attestations"]).code, 0);
    let written = files(&team.repo.path().join("attestations"));
    let Some(said) = verified(&own, &written) else { return };
    assert_eq!(said.code, 0, "{said:#?}");
    assert_eq!(said.out.lines().count(), written.len(), "{said:#?}");

    let text = std::fs::read_to_string(&written[0]).unwrap();
    let mut envelope: Value = serde_json::from_str(&text).unwrap();
    let payload = envelope["payload"].as_str().unwrap().to_owned();
    // One letter of the statement's type, which still decodes.
    envelope["payload"] = payload.replacen("eyJf", "eyJe", 1).into();
    assert_ne!(envelope["payload"], payload);
    let tampered = team.repo.root().join("tampered.jsonl");
    std::fs::write(&tampered, envelope.to_string()).unwrap();
    let said = verified(&own, &[tampered]).unwrap();
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.err.contains("does not hold: the signature"), "{said:#?}");

    let other = key(&team.repo, "other", &["ed25519"]);
    let said = verified(&other, &written[..1]).unwrap();
    assert_eq!(said.code, 1, "{said:#?}");
}

/// Every command of the page is run as it stands there; that of Python only where it has the packages.
#[test]
fn the_page_tells_how_it_goes() {
    let mut script = readme::script("docs/attestations.md");
    let mut python = Command::new("python3");
    python.env_clear().envs(TestRepo::new().variables());
    if !has_packages(&mut python) {
        script = script.replace("python3 verify.py", "true");
    }
    let repo = readme::run(&script);
    assert!(repo.path().join("attestations/verification_summary.intoto.jsonl").is_file());
    assert!(repo.path().join("strat-001.intoto.jsonl").is_file());
}
