//! `orch handoff reject` finds out by itself what is wrong, and says it on the record.

use crate::support::{CODE, DOCUMENT, Team};

const REJECT: [&str; 3] = ["handoff", "reject", "strat-001"];

fn handed_over() -> Team {
    let team = Team::sealed();
    team.commit("Hand over the strategy");
    team
}

/// R000-59: each artifact that does not hold is named, with its digests, and its source is asked.
#[test]
fn what_changed_or_is_gone_is_named() {
    let team = handed_over();
    let said = team.try_orch("quant_engineer", &REJECT);
    assert!(said.fault().contains("every artifact is as it was sealed"), "{said:#?}");
    let sealed = team.digest(CODE);
    team.repo.write(CODE, "plot(close)\n");
    team.repo.git(&["add", CODE]);
    let out = team.orch("quant_engineer", &[&REJECT[..], &["--dry-run"]].concat());
    assert!(out.contains("reason: mismatch"), "{out}");
    team.repo.git(&["rm", "--quiet", DOCUMENT]);
    let out = team.orch("quant_engineer", &REJECT);
    assert!(out.contains(&format!("`{DOCUMENT}` (documentation) is missing")), "{out}");
    // What is told to type is enough to commit the rejection.
    let unstage = out.lines().find_map(|line| line.split_once("git restore --staged ")).unwrap().1;
    assert_eq!(unstage, format!("{DOCUMENT} {CODE}"));
    team.repo.git(&["restore", "--staged", DOCUMENT, CODE]);
    team.commit("Reject the strategy");
    let record = team.read(&team.record("strat-001", "rejection"));
    for part in ["reason: missing", &sealed, &team.digest(CODE), "strategy_developer is asked"] {
        assert!(record.contains(part), "{part} is missing: {record}");
    }
    for name in ["strategy_code", "documentation"] {
        assert!(record.contains(&format!("- {name}")), "{record}");
    }
}

/// R000-59: what holds its seal, and yet can't be read as its name says, is a fault of format.
#[test]
fn what_cannot_be_read_is_a_fault_of_format() {
    let team = Team::new();
    team.open("data-001", "data_refresh", &[]);
    team.orch("data_engineer", &["run", "start", "data-001"]);
    let manifest = "data/manifests/btcusdt_1h.json";
    team.repo.write(manifest, "{\"rows\": ");
    team.orch("data_engineer", &["handoff", "create", "data-001"]);
    team.commit("Hand over the data");
    team.orch("orchestrator", &["handoff", "reject", "data-001"]);
    let record = team.read(&team.record("data-001", "rejection"));
    assert!(record.contains("reason: format") && record.contains("- validated_data"), "{record}");
    team.commit("Reject the data");
    team.orch("data_engineer", &["run", "start", "data-001", "--no-branch"]);
    team.verify().passed();
}

/// A person's own words go on the record as they are.
#[test]
fn words_that_were_given_stay() {
    let team = handed_over();
    let said = ["--reason", "format", "--message", "No chart can read this"];
    team.orch("quant_engineer", &[&REJECT[..], &said].concat());
    let record = team.read(&team.record("strat-001", "rejection"));
    assert!(record.contains("message: No chart can read this"), "{record}");
}
