//! Handoffs that were written elsewhere: sealed if they are true, refused with a place if not.

use crate::support::{CODE, DOCUMENT, Team};

/// The example of R000-34, as its runbook prints it, but for the checksums.
fn example(code: &str, document: &str) -> String {
    format!(
        "# When one agent hands off to another
handoff:
  from: strategy_developer
  to: quant_engineer
  task_id: strat-001
  artifacts:
    - path: strategies/pine_v6/new_strategy.pine
      checksum: {code}
    - path: docs/strategies/new_strategy.md
      checksum: {document}
  message: \"Strategy ready for backtesting\"
  next_steps:
    - Run full backtest
    - Walk-forward validation
    - Generate performance report
"
    )
}

/// Imports a text as the developer.
fn import(team: &Team, text: &str) -> crate::support::Said {
    team.repo.write("../handoff.yaml", text);
    team.try_orch("strategy_developer", &["handoff", "import", "../handoff.yaml"])
}

/// Asserts that a text is refused, at a place, and that nothing at all is written.
fn refused(team: &Team, text: &str, place: &str) {
    let before = team.state();
    let said = import(team, text);
    assert!(said.code == 1 || said.code == 2, "{said:#?}");
    assert!(said.err.contains(place), "{place} is missing: {said:#?}");
    assert!(said.err.contains("help: "), "{said:#?}");
    assert_eq!(team.state(), before);
}

/// R000-32, R000-33, R000-34: the runbook's own example becomes a sealed entry, word for word.
#[test]
fn the_example_becomes_a_sealed_entry() {
    let team = Team::written();
    let said = import(&team, &example(&team.digest(CODE), &team.digest(DOCUMENT)));
    assert_eq!(said.code, 0, "{said:#?}");
    let shown = team.json("", &["handoff", "show", "strat-001"]);
    assert_eq!(
        (&shown["from"], &shown["to"]),
        (&"strategy_developer".into(), &"quant_engineer".into())
    );
    let record = team.read(&team.record("strat-001", "handoff"));
    for line in [
        "  message: Strategy ready for backtesting",
        "Run full backtest",
        "Walk-forward validation",
        "Generate performance report",
        &format!("      checksum: {}", team.digest(CODE)),
        &format!("      checksum: {}", team.digest(DOCUMENT)),
        "    - name: strategy_code",
        "    - name: documentation",
    ] {
        assert!(record.contains(line), "{line} is missing:\n{record}");
    }
    team.commit("Hand over the strategy");
    team.guard(&["--base", "main"]).passed();
    assert_eq!(team.try_orch("", &["handoff", "verify", "strat-001"]).code, 0);
    team.pass("strat-001", "strategy");
}

/// R001-18: the same handoff twice is one record, and no error.
#[test]
fn the_same_file_twice_is_one_record() {
    let team = Team::written();
    let text = example(&team.digest(CODE), &team.digest(DOCUMENT));
    assert_eq!(import(&team, &text).code, 0);
    let before = team.state();
    let said = import(&team, &text);
    assert_eq!((said.code, team.state()), (0, before), "{said:#?}");
}

/// R001-18: what says something else than what was handed off is refused, not dropped without a word.
#[test]
fn another_file_behind_the_first_is_refused() {
    let team = Team::written();
    let text = example(&team.digest(CODE), &team.digest(DOCUMENT));
    assert_eq!(import(&team, &text).code, 0);
    let before = team.state();
    let other = text.replace("ready for backtesting", "not ready at all");
    let other = other.replace("    - Walk-forward validation\n", "");
    let said = import(&team, &other);
    assert!(said.denied().contains("something else: message, next_steps"), "{said:#?}");
    assert!(said.err.contains("orch handoff reject strat-001"), "{said:#?}");
    let said = import(&team, &text.replace("to: quant_engineer", "to: data_engineer"));
    assert!(said.denied().contains("something else: to"), "{said:#?}");
    assert_eq!(team.state(), before);
}

/// Attack 84: the runbook's placeholders, and other digests that are none, are refused where they
/// stand.
#[test]
fn placeholders_are_refused_where_they_stand() {
    let team = Team::written();
    let code = team.digest(CODE);
    refused(&team, &example("sha256:abc123", "sha256:def456"), "handoff.yaml:8:17");
    refused(&team, &example(&code, "sha256:def456"), "handoff.yaml:10:17");
    for bad in [
        code.replace("sha256:", "md5:"),
        code.to_uppercase().replace("SHA256", "sha256"),
        code[..70].to_owned(),
        format!("{code}0"),
        "\"\"".to_owned(),
    ] {
        refused(&team, &example(&code, &bad), "handoff.yaml:10:17");
    }
}

/// R000-59: a checksum of other bytes is refused, whichever artifact it is said of.
#[test]
fn a_wrong_checksum_is_refused() {
    let team = Team::written();
    let (code, document) = (team.digest(CODE), team.digest(DOCUMENT));
    refused(&team, &example(&code, &code), DOCUMENT);
    refused(&team, &example(&document, &code), CODE);
    let good = example(&code, &document);
    team.edit(CODE, "20", "21");
    refused(&team, &good, CODE);
}

/// Attack 40, attack 47, R000-33: artifacts are files of this tree, by their canonical path.
#[test]
fn artifacts_elsewhere_are_refused() {
    let team = Team::written();
    let good = example(&team.digest(CODE), &team.digest(DOCUMENT));
    let spell = |path: &str| good.replace("docs/strategies/new_strategy.md", path);
    for path in ["docs/../docs/strategies/new_strategy.md", "/etc/passwd", "docs//x.md", "./x.md"] {
        refused(&team, &spell(path), "handoff.yaml:9:13");
    }
    refused(&team, &spell("docs/strategies/nowhere.md"), "docs/strategies/nowhere.md");
    refused(&team, &spell("README.md"), "README.md");
}

/// Attacks 110, 112, 114: what can't be read in one way only is refused where it stands.
#[test]
fn doubtful_yaml_is_refused_where_it_stands() {
    let team = Team::written();
    let good = example(&team.digest(CODE), &team.digest(DOCUMENT));
    let edits = [
        ("  to: quant_engineer\n", "  to: quant_engineer\n  to: founder\n", "handoff.yaml:5:3"),
        ("  task_id:", "  taskid: strat-001\n  task_id:", "handoff.yaml:5:3"),
        ("strategy_developer", "&who strategy_developer", "handoff.yaml:3:"),
        ("  message: \"Strategy ready for backtesting\"\n", "", "handoff.yaml:"),
        ("handoff:\n", "---\na: 1\n---\nhandoff:\n", "handoff.yaml:"),
    ];
    for (from, to, place) in edits {
        assert!(good.contains(from));
        refused(&team, &good.replacen(from, to, 1), place);
    }
    refused(&team, "", "handoff.yaml");
    refused(&team, "handoff: [", "handoff.yaml:1:");
}

/// What the import says of people and tasks must be so as well.
#[test]
fn a_handoff_of_other_hands_is_refused() {
    let team = Team::written();
    let good = example(&team.digest(CODE), &team.digest(DOCUMENT));
    refused(
        &team,
        &good.replace("to: quant_engineer", "to: deployment_agent"),
        "handoff-misdirected",
    );
    refused(
        &team,
        &good.replace("from: strategy_developer", "from: founder"),
        "handoff-misdirected",
    );
    refused(&team, &good.replace("strat-001", "strat-002"), "strat-002");
    let before = team.state();
    let missing = team.try_orch("strategy_developer", &["handoff", "import", "../nowhere.yaml"]);
    assert!(missing.fault().contains("nowhere.yaml"));
    assert_eq!(team.state(), before);
}

/// R002-9, R002-10: the Markdown form of the playbook's agents.
#[test]
fn the_markdown_form_is_read() {
    let team = Team::written();
    let text = format!(
        "## Agent Handoff Signal

**From**: strategy_developer
**To**: quant_engineer
**Task**: strat-001
**Status**: COMPLETE

### Deliverables
- Created/Modified: {CODE}, {DOCUMENT}
- Test Results: 12 passed

### Context for Next Agent
- Recommended Actions: Run full backtest
"
    );
    team.repo.write("../handoff.md", text);
    let said = team.try_orch("strategy_developer", &["handoff", "import", "../handoff.md"]);
    assert_eq!(said.code, 0, "{said:#?}");
}

/// An endless file is refused as soon as it is too large.
#[cfg(unix)]
#[test]
fn an_endless_file_is_refused() {
    let team = Team::written();
    let said = team.try_orch("strategy_developer", &["handoff", "import", "/dev/zero"]);
    assert!(said.fault().contains("/dev/zero"), "{said:#?}");
}
