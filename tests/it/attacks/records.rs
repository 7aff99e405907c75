//! Group E, what records say: checksums, ids, and audits of what would be deployed.

use super::seen::{Seen, both_ways, ci, orch, smuggled};
use super::stages::{audited, auditing, begun, delivered, handed_over, sealed};
use crate::support::{CODE, DOCUMENT, REPORT, Team};

attacks![
    flipped_byte(
        79,
        "one byte of an artifact flipped, before and after its handoff has landed",
        Deny,
        ["checksum-mismatch", "handoff-stale"]
    ),
    edited_to_match(
        80,
        "an artifact and the landed checksum, changed to match",
        Deny,
        ["record-modified"]
    ),
    deleted_record(
        81,
        "a landed record deleted, or deleted and put back, as it was or otherwise",
        Deny,
        ["record-modified"]
    ),
    rewritten_record(
        82,
        "a landed record with other spaces, quotes or order",
        Deny,
        ["record-modified"]
    ),
    nothing_sealed(
        83,
        "a handoff without artifacts or without a checksum",
        Deny,
        ["artifact-undelivered", "record-invalid"]
    ),
    weak_digest(
        84,
        "checksums of another kind, cut short, made up, or of an empty file",
        Deny,
        ["record-invalid", "checksum-mismatch"]
    ),
    self_reference(85, "a record that seals records, or itself", Deny, ["artifact-irregular"]),
    one_id_twice(86, "one id in two ledgers", Deny, ["duplicate-submission"]),
    other_payload(
        87,
        "a run's id submitted again with something else",
        Deny,
        ["duplicate-submission", "run-id-mismatch"]
    ),
    same_again(87, "the same submitted again", Ok, []),
    copied_audit(89, "another candidate's PASS", Deny, ["audit-outdated"]),
    partial_audit(90, "a PASS that covers less, or something older", Deny, ["audit-outdated"]),
    deploy_of_another_version(
        90,
        "a deploy of what changed behind its PASS",
        Deny,
        ["audit-outdated"]
    ),
];

/// Changes one byte of the sealed code.
fn flip(team: &Team) {
    team.edit(CODE, "20", "21");
}

/// Goes to a branch on which anything might be tried.
fn aside(team: &Team) {
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-aside"]);
}

fn flipped_byte() -> Vec<Seen> {
    let landed = delivered();
    aside(&landed);
    let mut all = Vec::new();
    for team in [sealed(), handed_over(), landed] {
        flip(&team);
        all.extend(both_ways(&team));
    }
    all
}

fn edited_to_match() -> Vec<Seen> {
    let team = delivered();
    aside(&team);
    let sealed = team.digest(CODE);
    flip(&team);
    team.edit(&team.record("strat-001", "handoff"), &sealed, &team.digest(CODE));
    both_ways(&team).into()
}

fn deleted_record() -> Vec<Seen> {
    let mut all = Vec::new();
    for kind in ["task", "handoff", "gate"] {
        let team = delivered();
        aside(&team);
        let path = team.record("strat-001", kind);
        let text = team.read(&path);
        team.repo.git(&["rm", "--quiet", &path]);
        all.extend(both_ways(&team));
        team.repo.write(&path, text.replace("\n  ", "\n    "));
        all.push(smuggled(&team));
    }
    // Put back byte for byte, it was gone for a while all the same.
    let same = delivered();
    aside(&same);
    let path = same.record("strat-001", "gate");
    same.repo.git(&["rm", "--quiet", &path]);
    same.smuggle("Away");
    same.repo.git(&["checkout", "--quiet", "HEAD~1", "--", &path]);
    all.push(smuggled(&same));
    let whole = delivered();
    aside(&whole);
    whole.repo.git(&["rm", "-r", "--quiet", ".orch/tasks"]);
    all.extend(both_ways(&whole));
    all
}

fn rewritten_record() -> Vec<Seen> {
    let rewritten: [fn(&str) -> String; 5] = [
        |text| text.replace("  ", "    "),
        |text| text.replacen("complete", "\"complete\"", 1),
        |text| format!("{text}\n"),
        |text| format!("# a note\n{text}"),
        |text| {
            let (payload, envelope) = text.split_at(text.find("entry:").unwrap());
            format!("{envelope}{payload}")
        },
    ];
    let mut all = Vec::new();
    for rewrite in rewritten {
        let team = delivered();
        aside(&team);
        let path = team.record("strat-001", "handoff");
        team.repo.write(&path, rewrite(&team.read(&path)));
        all.extend(both_ways(&team));
    }
    all
}

/// Changes the staged handoff, which no other entry stands behind yet.
fn forged_handoff(change: impl Fn(&Team, &str) -> String) -> [Seen; 2] {
    let team = sealed();
    let path = team.record("strat-001", "handoff");
    team.repo.write(&path, change(&team, &team.read(&path)));
    both_ways(&team)
}

fn nothing_sealed() -> Vec<Seen> {
    let empty = forged_handoff(|_, text| {
        let (before, rest) = text.split_once("  artifacts:\n").unwrap();
        let after = &rest[rest.find("  message").unwrap()..];
        format!("{before}  artifacts: []\n{after}")
    });
    let unsealed = forged_handoff(|_, text| {
        let lines = text.lines().filter(|line| !line.contains("checksum: "));
        lines.map(|line| format!("{line}\n")).collect()
    });
    empty.into_iter().chain(unsealed).collect()
}

fn weak_digest() -> Vec<Seen> {
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let placeholder = format!("sha256:{}", "0".repeat(64));
    let forged: [&dyn Fn(&str) -> String; 7] = [
        &|_| "md5:d41d8cd98f00b204e9800998ecf8427e".into(),
        &|sealed| sealed.to_uppercase(),
        &|sealed| sealed.to_uppercase().replace("SHA256", "sha256"),
        &|sealed| sealed[..30].into(),
        &|_| "sha256:abc123".into(),
        &|_| empty.into(),
        &|_| placeholder.clone(),
    ];
    let mut all = Vec::new();
    for forge in forged {
        all.extend(forged_handoff(|team, text| {
            let sealed = team.digest(CODE);
            text.replace(&sealed, &forge(&sealed))
        }));
    }
    all
}

fn self_reference() -> Vec<Seen> {
    let itself =
        forged_handoff(|team, text| text.replace(CODE, &team.record("strat-001", "handoff")));
    let another = forged_handoff(|team, text| {
        let task = team.record("strat-001", "task");
        text.replace(&team.digest(CODE), &team.digest(&task)).replace(CODE, &task)
    });
    itself.into_iter().chain(another).collect()
}

fn one_id_twice() -> Vec<Seen> {
    let team = delivered();
    aside(&team);
    let path = team.record("strat-001", "task");
    let month = path.split('/').nth(2).unwrap().to_owned();
    let text = team.read(&path).replace(&month, "2020-01");
    team.repo.write(&path.replace(&month, "2020-01"), text);
    let [hook, range] = both_ways(&team);
    let again = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "Another"];
    orch(&team, "orchestrator", &again).settle(super::Owed::Deny, &["is there already"]);
    vec![hook, range]
}

fn other_payload() -> Vec<Seen> {
    let twice = handed_over();
    let path = twice.record("strat-001", "handoff");
    let text = twice.read(&path).replace("ready for backtesting", "ready for anything");
    let text = rechained(&twice, &path, &text);
    twice.repo.write(&path.replace("0003", "0004"), text);
    let made_up = begun();
    made_up.write_strategy();
    made_up.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    let path = made_up.record("strat-001", "handoff");
    let id = made_up
        .read(&path)
        .lines()
        .find_map(|line| line.trim().strip_prefix("run_id: "))
        .unwrap()
        .to_owned();
    made_up.edit(&path, &id, "r0123456789");
    both_ways(&twice).into_iter().chain(both_ways(&made_up)).collect()
}

/// Gives an entry as the next behind another one.
fn rechained(team: &Team, before: &str, text: &str) -> String {
    let old = text.lines().find(|line| line.starts_with("  previous: ")).unwrap();
    let new = format!("  previous: {}", team.digest(before));
    text.replace(old, &new).replace("sequence: 3", "sequence: 4")
}

fn same_again() -> Vec<Seen> {
    let team = begun();
    let before = team.state();
    let open = orch(&team, "orchestrator", &OPEN);
    let start = orch(&team, "strategy_developer", &["run", "start", "strat-001"]);
    assert_eq!(team.state(), before);
    let team = handed_over();
    let before = team.state();
    let again =
        vec![open, start, orch(&team, "strategy_developer", &["handoff", "create", "strat-001"])];
    assert_eq!(team.state(), before);
    team.orch("orchestrator", &["gate", "strat-001"]);
    team.commit("Pass the gate");
    let gate = orch(&team, "orchestrator", &["gate", "strat-001"]);
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
    [again, vec![gate, ci(&team)]].into_iter().flatten().collect()
}

const OPEN: [&str; 7] =
    ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "Moving average"];

const PASS: [&str; 8] =
    ["audit", "report", "strat-002", "--verdict", "PASS", "--test", "anti_bias=PASS", "--test"];

/// A second candidate is brought to its audit, and the first one's report is put into its ledger.
fn copied_audit() -> Vec<Seen> {
    let team = audited();
    let open = ["--depends-on", "data-001", "--version", "1.0"];
    team.open("strat-002", "new_strategy", &open);
    team.orch("strategy_developer", &["run", "start", "strat-002"]);
    team.repo.write("strategies/pine_v6/other.pine", "plot(ta.ema(close, 5))\n");
    team.repo.write("docs/strategies/other.md", "# Another average\n");
    team.orch("strategy_developer", &["handoff", "create", "strat-002"]);
    team.commit("Hand over the second");
    team.pass("strat-002", "strategy");
    team.orch("quant_engineer", &["run", "start", "strat-002"]);
    team.repo.write("research/reports/other.json", "{\"trades\": 50, \"max_drawdown\": 0.1}\n");
    team.orch("quant_engineer", &["handoff", "create", "strat-002"]);
    team.commit("Report the second backtest");
    team.pass("strat-002", "backtest");
    team.orch("independent_auditor", &["run", "start", "strat-002"]);
    team.commit("Begin the second audit");
    team.orch("independent_auditor", &[&PASS[..], &["full_audit=PASS"]].concat());
    let copy = team.record("strat-002", "audit_report");
    let covers = |text: &str| {
        let begin = text.find("  covers:").unwrap();
        let end = text[begin..].find("  tests:").unwrap() + begin;
        text[begin..end].to_owned()
    };
    let original = team.read(&team.record("strat-001", "audit_report"));
    let text = team.read(&copy);
    team.repo.write(&copy, text.replace(&covers(&text), &covers(&original)));
    both_ways(&team).into()
}

/// Reports the audit of the first candidate; nothing is committed.
fn reported() -> Team {
    let team = auditing();
    let report = ["audit", "report", "strat-001", "--verdict", "PASS"];
    let tests = ["--test", "anti_bias=PASS", "--test", "full_audit=PASS"];
    team.orch("independent_auditor", &[&report[..], &tests].concat());
    team
}

fn partial_audit() -> Vec<Seen> {
    let mut all = Vec::new();
    for (path, name) in
        [(CODE, "strategy_code"), (DOCUMENT, "documentation"), (REPORT, "backtest_results")]
    {
        let older = reported();
        let record = older.record("strat-001", "audit_report");
        older.edit(&record, &older.digest(path), &format!("sha256:{}", "1".repeat(64)));
        all.extend(both_ways(&older));
        let partial = reported();
        let text = partial.read(&record);
        let begin = text.find(&format!("    - name: {name}\n")).unwrap();
        let end = begin + text[begin..].match_indices('\n').nth(2).unwrap().0 + 1;
        partial.repo.write(&record, format!("{}{}", &text[..begin], &text[end..]));
        all.extend(both_ways(&partial));
    }
    all
}

fn deploy_of_another_version() -> Vec<Seen> {
    let team = audited();
    flip(&team);
    team.smuggle("A small thing");
    let start = orch(&team, "deployment_agent", &["run", "start", "strat-001"]);
    // What is honest begins at once; and what changes below it then is seen where it lands.
    let team = audited();
    team.orch("deployment_agent", &["run", "start", "strat-001"]);
    team.commit("Begin on paper");
    team.guard(&["--base", "main"]).passed();
    flip(&team);
    vec![start, smuggled(&team)]
}
