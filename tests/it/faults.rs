//! Faults that checkers mostly miss, and what orch says where it can't look.

use crate::support::{CODE, Found, Judged, REPORT, Said, Team, TestRepo};

/// A team with data and a strategy whose handoff is committed, not landed.
fn begun() -> Team {
    let team = Team::new();
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001"]);
    team
}

/// Commits everything past the hooks and judges the branch as CI does.
fn smuggled(team: &Team) -> Judged {
    team.smuggle("Past the hooks");
    team.guard(&["--base", "main"])
}

/// Asserts that a check is among the errors, at this place.
fn named_at(judged: &Judged, check: &str, path: &str, place: (Option<u64>, Option<u64>)) {
    let found = judged.refused_by(check);
    let expected = Found { check: check.into(), path: path.into(), line: place.0, column: place.1 };
    assert_eq!(found, &expected, "{:#?}", judged.json);
}

/// Fault 1 of 6: a merge left its markers in a record.
#[test]
fn conflict_markers_are_named() {
    let team = begun();
    let path = team.record("strat-001", "handoff");
    let was = "  status: complete\n";
    let torn = format!("<<<<<<< HEAD\n{was}=======\n  status: partial\n>>>>>>> other\n");
    team.edit(&path, was, &torn);
    let place = team.place_of(&path, "<<<<<<<");
    named_at(&smuggled(&team), "conflict-markers", &path, place);
}

/// Fault 2 of 6: a word that no status is.
#[test]
fn a_bad_status_is_named() {
    let team = begun();
    let path = team.record("strat-001", "handoff");
    team.edit(&path, "status: complete", "status: completed");
    let place = team.place_of(&path, "completed");
    named_at(&smuggled(&team), "record-invalid", &path, place);
}

/// Fault 3 of 6: a field is missing, in the payload, in an artifact, or in the envelope.
#[test]
fn a_missing_field_is_named() {
    for line in ["  to: ", "  stage: ", "      checksum: ", "  actor: ", "  recorded_at: "] {
        let team = begun();
        let path = team.record("strat-001", "handoff");
        let text = team.read(&path);
        let at = text.find(line).unwrap_or_else(|| panic!("{line} is missing:\n{text}"));
        let end = at + text[at..].find('\n').unwrap() + 1;
        team.repo.write(&path, format!("{}{}", &text[..at], &text[end..]));
        let judged = smuggled(&team);
        let found = judged.refused_by("record-invalid");
        assert_eq!(found.path, path, "{line}");
        assert!(found.line.is_some(), "{line}");
        let told = judged.json["findings"].to_string();
        assert!(told.contains(line.trim().trim_end_matches(':')), "{line}: {told}");
    }
}

/// Fault 4 of 6: a task depends on one that is not there.
#[test]
fn a_dangling_reference_is_named() {
    let team = begun();
    let path = team.record("strat-001", "task");
    team.edit(&path, "data-001", "data-010");
    let place = team.place_of(&path, "data-010");
    named_at(&smuggled(&team), "dependency-open", &path, place);
}

/// Fault 5 of 6, attack 105: two tasks wait for each other. Neither could be written by orch, so
/// one is opened by hand.
#[test]
fn a_dependency_cycle_is_named() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.open("strat-002", "new_strategy", &["--depends-on", "strat-001"]);
    let path = team.record("strat-001", "task");
    team.edit(&path, "entry:", "  depends_on:\n    - strat-002\nentry:");
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-cycle"]);
    let judged = smuggled(&team);
    let found = judged.refused_by("dependency-cycle");
    assert!(found.path.ends_with("-task.yaml") && found.line.is_some(), "{found:?}");
    let told = judged.json["findings"].to_string();
    assert!(told.contains("strat-001") && told.contains("strat-002"), "{told}");
    let itself = Team::new();
    itself.open("strat-001", "new_strategy", &[]);
    let path = itself.record("strat-001", "task");
    itself.edit(&path, "entry:", "  depends_on:\n    - strat-001\nentry:");
    itself.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-cycle"]);
    smuggled(&itself).refused_by("dependency-cycle");
}

/// Fault 6 of 6, attack 86: two clones use one id, in two months, and Git merges them cleanly.
#[test]
fn a_duplicate_id_across_clones_is_named() {
    let team = Team::new();
    let clone = team.clone_to("clone");
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    clone.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-again"]);
    clone.open("strat-001", "new_strategy", &[]);
    let path = clone.record("strat-001", "task");
    let text = clone.read(&path);
    let month = path.split('/').nth(2).unwrap();
    let moved = path.replace(month, "2026-01");
    clone.remove_month(month);
    clone.repo.write(&moved, text.replace(month, "2026-01"));
    clone.smuggle("The same id, last year");
    clone.repo.git(&[
        "pull",
        "--quiet",
        "--no-rebase",
        "--no-edit",
        "--no-verify",
        "origin",
        "main",
    ]);
    let judged = clone.guard(&["--base", "origin/main"]);
    assert_eq!(judged.refused_by("duplicate-submission").path, moved);
}

impl Team {
    fn remove_month(&self, month: &str) {
        std::fs::remove_dir_all(self.repo.path().join(".orch/tasks").join(month)).unwrap();
    }
}

/// All that CI can be asked of a folder is refused with exit code 2 and words on what to do, in
/// JSON too.
fn cannot_look(team: &Team, arguments: &[&str]) -> Said {
    let said = team.try_orch("orchestrator", arguments);
    said.fault();
    let json = team.try_orch("orchestrator", &[arguments, &["--format", "json"]].concat());
    assert_eq!(json.code, 2, "{json:#?}");
    let text = if json.out.is_empty() { &json.err } else { &json.out };
    let error: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|fault| {
        panic!("{arguments:?}: {fault}: {json:#?}");
    });
    let error = error.get("error").unwrap_or(&error);
    assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");
    said
}

/// Attacks 15, 19, 56: no repository, no policy, no base: never a silent pass.
#[test]
fn what_is_not_there_is_no_pass() {
    let empty = Team::over(TestRepo::new());
    cannot_look(&empty, &["guard"]);
    empty.smuggle("Nothing");
    cannot_look(&empty, &["guard", "--base", "HEAD"]);
    cannot_look(&empty, &["guard", "--base", "nowhere"]);
    cannot_look(&empty, &["verify"]);
    let nowhere = Team::over(empty.repo.beside("nowhere"));
    std::fs::create_dir(nowhere.repo.path()).unwrap();
    let fenced = nowhere.with_variable("GIT_CEILING_DIRECTORIES", empty.repo.root());
    cannot_look(&fenced, &["guard"]);
    cannot_look(&fenced, &["status"]);
}

/// Attack 73: CI's variable was empty, so the base is.
#[test]
fn an_empty_base_is_no_pass() {
    let team = begun();
    cannot_look(&team, &["guard", "--base", ""]);
    cannot_look(&team, &["guard", "--base", "main", "--head", ""]);
    cannot_look(&team, &["verify", ""]);
}

/// Attacks 14, 16: an unreadable policy is a fault where it was agreed, a finding where it is
/// proposed.
#[test]
fn an_unreadable_policy_judges_nothing() {
    let team = begun();
    team.repo.git(&["switch", "--quiet", "--create", "orch/broken", "main"]);
    team.repo.write(".orch/policy.yaml", "version: 1\nagents: [\n");
    let judged = smuggled(&team);
    let found = judged.refused_by("policy-invalid");
    assert_eq!(found.path, ".orch/policy.yaml");
    assert!(found.line.is_some());
    team.repo.git(&["switch", "--quiet", "--create", "orch/next"]);
    team.repo.write("README.md", "x\n");
    team.smuggle("Next");
    let said = cannot_look(&team, &["guard", "--base", "orch/broken"]);
    assert!(said.err.contains(".orch/policy.yaml:"), "{said:#?}");
}

/// A first policy that is only staged was not agreed on by anybody.
#[test]
fn a_first_policy_that_is_wrong_is_the_staged_one() {
    let team = Team::over(TestRepo::new());
    team.orch("founder", &["init", "--template", "strategy"]);
    team.edit(".orch/policy.yaml", "version: 1", "version: one");
    team.repo.git(&["add", ".orch/policy.yaml"]);
    let said = team.try_orch("founder", &["status"]);
    assert_eq!(said.code, 2, "{said:#?}");
    assert!(said.fault().contains("the staged policy can't be used: .orch/policy.yaml:"));
    assert!(said.err.contains("mend it, and stage it anew"), "{}", said.err);
}

/// Attack 15: the change takes the policy away, or all of `.orch/`.
#[test]
fn a_deleted_policy_permits_nothing() {
    for path in [".orch/policy.yaml", ".orch"] {
        let team = begun();
        team.repo.git(&["switch", "--quiet", "--create", "orch/free", "main"]);
        team.repo.git(&["rm", "-r", "--quiet", path]);
        team.repo.write(REPORT, "{}\n");
        smuggled(&team).refused_by("policy-change-undecided");
    }
}

/// Attack 18: a key that nobody knows is never ignored.
#[test]
fn an_unknown_key_of_the_policy_is_named() {
    let team = begun();
    team.repo.git(&["switch", "--quiet", "--create", "orch/typo", "main"]);
    team.edit(".orch/policy.yaml", "protected: ", "protectd: ");
    let place = team.place_of(".orch/policy.yaml", "protectd");
    named_at(&smuggled(&team), "policy-invalid", ".orch/policy.yaml", place);
}

/// Bad flags are bad usage, and say so.
#[test]
fn bad_flags_are_no_pass() {
    let team = begun();
    for arguments in [
        &["guard", "--bsae", "main"][..],
        &["guard", "--format", "xml"],
        &["guard", "--at", "yesterday"],
        &["guard", "--head", "HEAD~1"],
        &["guard", "--staged", "--base", "main"],
        &["gaurd"],
        &["task", "open", "26e2", "--workflow", "new_strategy", "--title", "x"],
        &["run", "fail", "strat-001", "--class", "bad", "--reason", "x"],
    ] {
        let said = team.try_orch("orchestrator", arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {said:#?}");
        assert!(!said.err.is_empty());
    }
}

/// Attack 56: a clone of depth 1 lacks the base, and is told how to fetch it.
#[test]
fn a_shallow_clone_is_no_pass() {
    let team = begun();
    team.repo.git(&["switch", "--quiet", "main"]);
    team.open("strat-002", "new_strategy", &[]);
    team.commit("Open strat-002");
    let shallow =
        Team::over(team.repo.clone_to("shallow", &["--depth", "1", "--no-single-branch"]));
    shallow.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    let said = cannot_look(&shallow, &["guard", "--base", "origin/main"]);
    assert!(said.err.contains("git fetch"), "{said:#?}");
    let single = Team::over(team.repo.clone_to("single", &["--depth", "1"]));
    cannot_look(&single, &["guard", "--base", "origin/nowhere"]);
}

/// Attack 62: variables of another repository are not believed, and the answer stays the same.
#[test]
fn foreign_variables_change_no_verdict() {
    let team = begun();
    team.edit(CODE, "20", "21");
    let expected = smuggled(&team).errors;
    assert!(!expected.is_empty());
    for (name, value) in [
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_NAMESPACE", "other"),
        ("GIT_REPLACE_REF_BASE", "refs/other/"),
        ("GIT_CONFIG_PARAMETERS", "'core.bare=true'"),
    ] {
        let odd = team.with_variable(name, value);
        assert_eq!(odd.guard(&["--base", "main"]).errors, expected, "{name}");
    }
}

/// Attack 121: nothing examined is said, and with `--require` it is no pass.
#[test]
fn nothing_examined_is_said() {
    let team = Team::new();
    assert_eq!(team.try_orch("", &["guard"]).code, 0);
    assert!(team.orch("", &["guard"]).contains("nothing"));
    assert_eq!(team.try_orch("", &["guard", "--require"]).code, 1);
}
