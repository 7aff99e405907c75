//! Identity, signatures, and what guards the guard.

use super::seen::{Seen, both_ways, ci, commit, git, guard, orch, smuggled};
use super::stages::{fresh, handed_over, on_paper};
use crate::support::{Team, TestRepo, key, must_run, public};

attacks![
    other_decision(
        14,
        "a person's decision brought to another policy than it was about, or by half",
        Deny,
        ["policy-change-undecided"]
    ),
    unhooked(
        21,
        "a change of CI's workflow or of the hooks' configuration, by whoever owns its folder",
        Deny,
        ["policy-change-undecided"]
    ),
    decided_workflow(21, "the same with a person's decision that names it", Ok, []),
    hidden_rule(24, "a rule of the policy that another hides", Deny, ["policy-invalid"]),
    older_program(28, "a program older than the agreed policy asks for", Err, []),
    lowered_version(
        28,
        "the oldest version lowered in the change that needs it",
        Deny,
        ["policy-change-undecided"]
    ),
    policy_of_a_fork(29, "a job with a write token that takes its policy from a fork", Err, []),
    auditor_committed(
        93,
        "an audit by someone who committed what is audited under another's name",
        Deny,
        ["self-audit"]
    ),
    auditor_of_others(93, "the same, of commits by others", Ok, []),
    spoofed_author(
        94,
        "an author's address made up, where the agent is bound to a key",
        Deny,
        ["identity-mismatch"]
    ),
    one_voice(98, "a threshold of two met by two names of one person", Deny, ["approval-missing"]),
    no_threshold(98, "a threshold of none, or of more than there are", Deny, ["policy-invalid"]),
    unsigned(
        108,
        "what must be signed without a signature, with another's, or with one of a key that is \
         unknown, brought along, revoked or out of its time",
        Deny,
        ["signature-missing", "signature-invalid"]
    ),
    signed(108, "the same, signed as agreed", Ok, []),
];

const POLICY: &str = ".orch/policy.yaml";
const FOUNDER: &str = "founder: {lanes: [F], human: true}";

/// Changes the agreed policy past all hooks, on `main`.
fn agree(team: &Team, changes: &[(&str, &str)]) {
    for (from, to) in changes {
        team.edit(POLICY, from, to);
    }
    team.smuggle("Agree on this");
}

fn decide(team: &Team, path: &str) {
    team.repo.git(&["add", "--all"]);
    let decide = ["decide", "--title", "Change it", "--context", "It is needed"];
    team.orch("founder", &[&decide[..], &["--decision", "Changed", "--changes", path]].concat());
}

/// A decision that never landed, on a branch `orch/old`, about two files.
fn decided_once() -> Team {
    let team = fresh();
    team.repo.git(&["switch", "--quiet", "--create", "orch/old"]);
    team.edit(POLICY, "max_age: 30d", "max_age: 45d");
    team.repo.write(REVOKED, "# nobody\n");
    team.repo.git(&["add", "--all"]);
    let decide =
        ["decide", "--title", "Both", "--context", "It is needed", "--decision", "Changed"];
    let files = ["--changes", POLICY, "--changes", REVOKED];
    team.orch("founder", &[&decide[..], &files].concat());
    team.commit("Decide on both");
    ci(&team).settle(super::Owed::Ok, &[]);
    team.repo.git(&["switch", "--quiet", "main"]);
    team
}

fn other_decision() -> Vec<Seen> {
    let stale = decided_once();
    agree(&stale, &[("max_age: 30d", "max_age: 7d")]);
    let half = decided_once();
    let brought = [(&stale, vec![".orch"]), (&half, vec![POLICY, ".orch/decisions"])];
    let tried = brought.into_iter().map(|(team, paths)| {
        team.repo.git(&["switch", "--quiet", "--create", "orch/once-more", "main"]);
        team.repo.git(&[&["checkout", "--quiet", "orch/old", "--"], &paths[..]].concat());
        smuggled(team)
    });
    tried.collect()
}

const GUARDING: [&str; 4] =
    [".github/workflows/orch.yml", ".pre-commit-config.yaml", "lefthook.yml", ".husky/pre-commit"];

fn unhooked() -> Vec<Seen> {
    let team = handed_over();
    let broad = "docs/strategies/**\", \".github/**\", \".husky/**";
    team.repo.git(&["switch", "--quiet", "main"]);
    agree(&team, &[("docs/strategies/**", broad)]);
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    team.repo.git(&["merge", "--quiet", "--no-verify", "--no-edit", "main"]);
    let mut seen = Vec::new();
    for path in GUARDING {
        team.repo.write(path, "nothing\n");
        seen.extend(both_ways(&team));
        team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    }
    seen
}

fn decided_workflow() -> Vec<Seen> {
    let team = fresh();
    team.repo.git(&["switch", "--quiet", "--create", "orch/ci"]);
    team.repo.write(GUARDING[0], "on: pull_request\n");
    decide(&team, GUARDING[0]);
    vec![commit(&team), ci(&team)]
}

fn hidden_rule() -> Vec<Seen> {
    let rules = [
        ("shared_paths: [", "shared_paths: [\"strategies/**\", "),
        (
            "failures:\n",
            "failures:\n  - {class: transient, reason: any, exit_codes: [1]}\n  - \
          {class: deterministic, reason: one, exit_codes: [1], output: [broken]}\n",
        ),
    ];
    let tried = rules.iter().map(|(from, to)| {
        let team = fresh();
        team.repo.git(&["switch", "--quiet", "--create", "orch/rules"]);
        team.edit(POLICY, from, to);
        decide(&team, POLICY);
        smuggled(&team)
    });
    tried.collect()
}

fn newer() -> Team {
    let team = fresh();
    agree(&team, &[("version: 1", "version: 1\nmin_version: 99.0.0")]);
    team.repo.git(&["switch", "--quiet", "--create", "orch/older"]);
    team
}

fn older_program() -> Vec<Seen> {
    let team = newer();
    team.edit(POLICY, "99.0.0", "0.1.0");
    team.smuggle("Ask for less");
    vec![ci(&team), guard(&team, &["--base", "main", "--bootstrap"])]
}

fn lowered_version() -> Vec<Seen> {
    let team = fresh();
    agree(&team, &[("version: 1", "version: 1\nmin_version: 0.1.0")]);
    team.repo.git(&["switch", "--quiet", "--create", "orch/older"]);
    team.edit(POLICY, "min_version: 0.1.0", "min_version: 0.0.1");
    both_ways(&team).into()
}

fn policy_of_a_fork() -> Vec<Seen> {
    let team = handed_over().with_variable("GITHUB_EVENT_NAME", "pull_request_target");
    vec![guard(&team, &["--base", "main", "--bootstrap"])]
}

const AUDITOR: (&str, &str) = (
    "independent_auditor: {lanes: [D], auditor: true}",
    "independent_auditor: {lanes: [D], auditor: true, identities: [eve@example.org]}",
);

/// An audit that passes, by someone bound to an address; `author` committed a part of the strategy.
fn audited_by_eve(author: &str) -> Vec<Seen> {
    let team = fresh();
    agree(&team, &[AUDITOR]);
    team.land_data();
    team.begin_strategy(&["--depends-on", "data-001"]);
    team.write_strategy();
    team.repo.git(&["add", "--all"]);
    team.repo.git(&["commit", "--quiet", "-m", "Write", &format!("--author={author}")]);
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    team.commit("Hand over the strategy");
    team.pass("strat-001", "strategy");
    team.backtest();
    team.orch("independent_auditor", &["run", "start", "strat-001"]);
    let report = ["audit", "report", "strat-001", "--verdict", "PASS"];
    let tests = ["--test", "anti_bias=PASS", "--test", "full_audit=PASS"];
    let said = orch(&team, "independent_auditor", &[&report[..], &tests].concat());
    if author.starts_with("Eve") {
        return vec![said];
    }
    let eve = ["commit", "--quiet", "-m", "Audit", "--author=Eve <eve@example.org>"];
    vec![said, git(&team, &eve), ci(&team)]
}

fn auditor_committed() -> Vec<Seen> {
    audited_by_eve("Eve <Eve@example.org>")
}

fn auditor_of_others() -> Vec<Seen> {
    audited_by_eve("Ada <ada@example.org>")
}

fn paused_with(changes: &[(&str, &str)], files: &[(&str, String)]) -> Team {
    let team = fresh();
    for (path, text) in files {
        team.repo.write(path, text);
    }
    agree(&team, changes);
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open the strategy");
    team.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on", "--dry-run"]);
    team
}

fn pause(team: &Team) -> Seen {
    orch(team, "founder", &["pause", "strat-001", "--reason", "Hold on"])
}

fn use_key(team: &Team, key: &str) {
    team.repo.git(&["config", "gpg.format", "ssh"]);
    team.repo.git(&["config", "user.signingKey", key]);
}

fn spoofed_author() -> Vec<Seen> {
    let keys = TestRepo::new();
    let [own, other] = ["own", "other"].map(|name| key(&keys, name, &["ed25519"]));
    let bound = format!("founder: {{lanes: [F], human: true, identities: ['{}']}}", public(&own));
    let team = paused_with(&[(FOUNDER, &bound)], &[]);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    let commit = ["commit", "--quiet", "-m", "Pause", "--author=Founder <founder@example.org>"];
    team.repo.git(&commit);
    let mut seen = vec![ci(&team)];
    use_key(&team, &other);
    team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    seen.push(ci(&team));
    seen
}

const TWO: (&str, &str) =
    ("approval: founder", "approvers: {of: [founder, partner], threshold: 2}");

fn one_voice() -> Vec<Seen> {
    let team = on_paper();
    let two = "founder: {lanes: [F], human: true, principal: ada}\n  partner: {human: true, \
               principal: eve}";
    agree(&team, &[(FOUNDER, two), TWO]);
    let statement = ["--stage", "deploy_live", "--statement", "As tested"];
    team.orch("founder", &[&["approve", "strat-001"], &statement[..]].concat());
    let early = orch(&team, "deployment_agent", &["run", "start", "strat-001"]);
    team.commit("Approve");
    team.edit(POLICY, "principal: ada", "identities: [a@example.org]");
    team.edit(POLICY, "principal: eve", "identities: [A@example.org]");
    team.smuggle("Two names of one person");
    let partner = ["approve", "strat-001"];
    team.orch("partner", &[&partner, &statement[..]].concat());
    vec![early, orch(&team, "deployment_agent", &["run", "start", "strat-001"])]
}

fn no_threshold() -> Vec<Seen> {
    let tried = ["0", "3"].into_iter().map(|threshold| {
        let team = fresh();
        team.repo.git(&["switch", "--quiet", "--create", "orch/threshold"]);
        team.edit(POLICY, FOUNDER, &format!("{FOUNDER}\n  partner: {{human: true}}"));
        team.edit(
            POLICY,
            TWO.0,
            &TWO.1.replace("threshold: 2", &format!("threshold: {threshold}")),
        );
        decide(&team, POLICY);
        smuggled(&team)
    });
    tried.collect()
}

const ASKED: (&str, &str) = ("version: 1", "version: 1\nsignatures: {kinds: [pause]}");
const SIGNERS: &str = ".orch/allowed_signers";
const REVOKED: &str = ".orch/revoked_keys";

fn unsigned() -> Vec<Seen> {
    let keys = TestRepo::new();
    let [own, other] = ["own", "other"].map(|name| key(&keys, name, &["ed25519"]));
    let mine = format!("founder {}\n", public(&own));
    let mut seen = vec![pause(&paused_with(&[ASKED], &[(SIGNERS, mine.clone())]))];
    let theirs = format!("independent_auditor {}\n", public(&own));
    let expired = mine.replace("founder", "founder valid-before=\"20200101Z\"");
    let future = mine.replace("founder", "founder valid-after=\"20990101Z\"");
    let none = String::new();
    let revoked = format!("{}\n", public(&own));
    for (signers, revoked) in [
        (&mine.replace(&public(&own), &public(&other)), &none),
        (&theirs, &none),
        (&expired, &none),
        (&future, &none),
        (&mine, &revoked),
    ] {
        let files = [(SIGNERS, signers.clone()), (REVOKED, revoked.clone())];
        let team = paused_with(&[ASKED], &files);
        use_key(&team, &own);
        seen.push(pause(&team));
    }
    // A key that the change itself brings.
    let team = paused_with(&[ASKED], &[]);
    use_key(&team, &own);
    team.repo.write(SIGNERS, &mine);
    decide(&team, SIGNERS);
    team.repo.git(&["add", "--all"]);
    seen.push(pause(&team));
    // The signature of one record, laid beside another.
    let team = paused_with(&[ASKED], &[(SIGNERS, mine)]);
    use_key(&team, &own);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    let record = team.record("strat-001", "pause");
    team.edit(&record, "Hold on", "Go on");
    seen.push(smuggled(&team));
    seen
}

fn signed() -> Vec<Seen> {
    let keys = TestRepo::new();
    let own = key(&keys, "own", &["ed25519"]);
    let mine = format!("founder {}\n", public(&own));
    let team = paused_with(&[ASKED], &[(SIGNERS, mine)]);
    use_key(&team, &own);
    let mut seen = vec![pause(&team), commit(&team), ci(&team)];
    // What the real `ssh-keygen` signs is as good.
    let record = team.repo.path().join(team.record("strat-001", "pause"));
    std::fs::remove_file(format!("{}.sig", record.display())).unwrap();
    let mut sign = std::process::Command::new("ssh-keygen");
    must_run(sign.args(["-q", "-Y", "sign", "-n", "orch", "-f", &own]).arg(&record));
    team.repo.git(&["add", "--all"]);
    team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", "--no-verify"]);
    seen.push(ci(&team));
    // A squash by somebody else leaves it as it is.
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.git(&["merge", "--quiet", "--squash", "orch/hold"]);
    team.repo.git(&[
        "commit",
        "--quiet",
        "--no-verify",
        "-m",
        "Squash",
        "--author=Eve <eve@example.org>",
    ]);
    seen.push(guard(&team, &["--base", "HEAD^", "--branch", "main"]));
    seen.push(orch(&team, "", &["verify"]));
    seen
}
