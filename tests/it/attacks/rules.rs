//! Group B: the policy and the guard judge themselves. A change is judged by what was agreed.

use std::time::{Duration, Instant};

use super::seen::{Seen, ci, git, guard, orch, smuggled};
use super::stages::{delivered, fresh, handed_over};
use crate::support::{Team, TestRepo};

attacks![
    loosened_policy(
        14,
        "a change that loosens the policy and brings what that would allow",
        Deny,
        ["path-unowned", "lane-violation", "policy-change-undecided"]
    ),
    deleted_policy(
        15,
        "a change that deletes the policy, or all of `.orch/`",
        Deny,
        ["policy-change-undecided"]
    ),
    unreadable_at_base(16, "a policy that can't be read where it was agreed", Err, []),
    unreadable_at_head(
        16,
        "a policy that can't be read where it is proposed",
        Deny,
        ["policy-invalid"]
    ),
    unknown_key(18, "a key of the policy that is a misspelling", Deny, ["policy-invalid"]),
    unknown_key_agreed(
        18,
        "the same where it was agreed, or an agent's name in the environment",
        Err,
        []
    ),
    no_policy_at_base(19, "a base without a policy", Err, []),
    another_target(
        20,
        "a branch that goes somewhere else than where it was judged",
        Deny,
        ["chain-forked"]
    ),
    guard_lowered(
        22,
        "checks lowered in the change that they would refuse",
        Deny,
        ["lane-violation", "policy-invalid"]
    ),
    nobodys_path(
        25,
        "a path that no lane owns, and a lane that nobody works in",
        Deny,
        ["path-unowned", "lane-violation"]
    ),
    one_bad_line(26, "one bad line in an agreed policy", Err, []),
    huge_policy(27, "an agreed policy beyond any size", Err, []),
];

const POLICY: &str = ".orch/policy.yaml";

/// Changes the policy as a person may, with the decision that names it.
fn decide(team: &Team) {
    team.repo.git(&["add", "--all"]);
    let decide = ["decide", "--title", "Change the policy", "--context", "It is needed"];
    let what = ["--decision", "Changed", "--changes", POLICY];
    team.orch("founder", &[&decide[..], &what].concat());
}

/// Puts text in place of the agreed policy, past all hooks.
fn agreed(text: impl AsRef<[u8]>) -> Team {
    let team = fresh();
    team.repo.write(POLICY, text);
    team.smuggle("Agree on this");
    team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-strategy"]);
    team
}

fn loosened_policy() -> Vec<Seen> {
    let team = fresh();
    team.repo.git(&["switch", "--quiet", "--create", "orch/loosen"]);
    team.edit(POLICY, "\"deploy/**\"", "\"deploy/**\", \"secret/**\"");
    decide(&team);
    team.commit("Give the deployment its secrets");
    team.guard(&["--base", "main"]).passed();
    team.repo.write("secret/key.json", "{}\n");
    let owned_by_itself = smuggled(&team);
    let team = handed_over();
    team.edit(POLICY, "[\"README.md\",", "[\"README.md\", \"**\",");
    team.repo.write("deploy/live/x.json", "{}\n");
    vec![owned_by_itself, smuggled(&team)]
}

fn deleted_policy() -> Vec<Seen> {
    let mut all = Vec::new();
    for path in [POLICY, ".orch"] {
        let team = delivered();
        team.repo.git(&["switch", "--quiet", "--create", "orch/free"]);
        team.repo.git(&["rm", "-r", "--quiet", path]);
        all.push(git(&team, &["commit", "-m", "Be free"]));
        team.repo.write("research/reports/x.json", "{}\n");
        all.push(smuggled(&team));
    }
    all
}

fn unreadable_at_base() -> Vec<Seen> {
    let torn = agreed("version: 1\nagents: [\n");
    let empty = agreed("");
    let staged = agreed("version: 1\nagents: [\n");
    staged.repo.write("README.md", "x\n");
    staged.repo.git(&["add", "README.md"]);
    vec![ci(&torn), ci(&empty), guard(&staged, &[])]
}

fn unreadable_at_head() -> Vec<Seen> {
    ["version: 1\nagents: [\n", "", "\u{feff}\0", "version: 2\n"]
        .map(|text| {
            let team = fresh();
            team.repo.git(&["switch", "--quiet", "--create", "orch/torn"]);
            team.repo.write(POLICY, text);
            smuggled(&team)
        })
        .into()
}

const MISSPELT: [(&str, &str); 3] =
    [("protected: ", "protectd: "), ("max_age: ", "max_aeg: "), ("requires: [", "reqiures: [")];

fn unknown_key() -> Vec<Seen> {
    MISSPELT
        .map(|(from, to)| {
            let team = fresh();
            team.repo.git(&["switch", "--quiet", "--create", "orch/typo"]);
            team.edit(POLICY, from, to);
            smuggled(&team)
        })
        .into()
}

fn unknown_key_agreed() -> Vec<Seen> {
    let template = fresh().read(POLICY);
    let mut all: Vec<Seen> =
        MISSPELT.map(|(from, to)| ci(&agreed(template.replacen(from, to, 1)))).into();
    let unknown = fresh().with_variable("ORCH_AGENT", "strategy-developer");
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "Average"];
    all.push(orch(&unknown, "", &open));
    all
}

fn no_policy_at_base() -> Vec<Seen> {
    let team = Team::over(TestRepo::new());
    team.repo.write("README.md", "Strategies\n");
    team.smuggle("Begin without orch");
    team.repo.git(&["switch", "--quiet", "--create", "orch/begin"]);
    let nothing = ci(&team);
    team.orch("founder", &["init", "--template", "strategy"]);
    team.smuggle("Begin with orch");
    // The first policy is accepted where that is said, and told.
    let first = team.guard(&["--base", "main", "--bootstrap"]);
    first.passed();
    assert_eq!(first.json["findings"][0]["severity"], "warning", "{:#}", first.json);
    vec![nothing, ci(&team)]
}

/// The verdict names both ends in full, so that one of another base is seen to be of another base;
/// and the guard of the other target says what holds there.
fn another_target() -> Vec<Seen> {
    let team = handed_over();
    team.repo.git(&["branch", "release", "main"]);
    let names = |rev: &str| team.repo.git(&["rev-parse", rev]);
    let green = team.guard(&["--base", "release"]);
    green.passed();
    assert_eq!(green.json["base"], *names("release"));
    assert_eq!(green.json["head"], *names("HEAD"));
    team.repo.git(&["switch", "--quiet", "main"]);
    team.open("strat-001", "new_strategy", &["--priority", "low"]);
    team.commit("Open another task of that name");
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    let judged = team.guard(&["--base", "main"]);
    assert_ne!(judged.json["base"], "");
    vec![ci(&team)]
}

fn guard_lowered() -> Vec<Seen> {
    let lower = |checks: &str| {
        let team = handed_over();
        team.edit(POLICY, "audit: {max_age: 30d}", &format!("audit: {{max_age: 30d}}\n{checks}"));
        team.repo.write("deploy/live/x.json", "{}\n");
        smuggled(&team)
    };
    let by_decision = fresh();
    by_decision.repo.git(&["switch", "--quiet", "--create", "orch/lower"]);
    by_decision.edit(POLICY, "audit: {", "checks: {checksum-mismatch: off}\naudit: {");
    vec![lower("checks: {lane-violation: off}"), smuggled(&by_decision)]
}

fn nobodys_path() -> Vec<Seen> {
    let team = handed_over();
    team.repo.write("infrastructure/main.tf", "nobody's\n");
    let path = smuggled(&team);
    let lanes = "  G: {title: Nobody's, owns: [\"infrastructure/**\"]}\n  F: {title";
    let team = agreed(fresh().read(POLICY).replacen("  F: {title", lanes, 1));
    team.repo.write("infrastructure/main.tf", "nobody's\n");
    let lane = smuggled(&team);
    vec![path, lane]
}

fn one_bad_line() -> Vec<Seen> {
    let template = fresh().read(POLICY);
    [
        ("max_age: 30d", "max_age: soon"),
        ("maximum_attempts: 5", "maximum_attempts: many"),
        ("protected: [\"main\"]", "protected: [\"main\"]\nprotected: []"),
        ("backtest_results.trades >= 30", "backtest_results.trades >="),
    ]
    .map(|(from, to)| {
        assert!(template.contains(from), "{from}");
        ci(&agreed(template.replacen(from, to, 1)))
    })
    .into()
}

fn huge_policy() -> Vec<Seen> {
    let mut text = fresh().read(POLICY);
    text.push_str(&"# and so on\n".repeat(200_000));
    let team = agreed(text);
    let began = Instant::now();
    let seen = ci(&team);
    assert!(began.elapsed() < Duration::from_secs(30));
    vec![seen]
}
