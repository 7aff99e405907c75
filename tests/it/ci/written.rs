//! What `orch init --ci` writes: it passes its own guard, and nothing that was there is lost.

use std::path::Path;
use std::process::Command;

use super::runner::action;
use crate::support::{Team, TestRepo};

const WORKFLOW: &str = ".github/workflows/orch.yml";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn began(arguments: &[&str]) -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("founder", &[&["init"], arguments].concat());
    team
}

/// R000-60 and the like: each template begins with CI, passes its own guard, and so does its commit.
#[test]
fn every_template_begins_with_ci() {
    for template in ["team", "strategy", "torghut", "trader", "hedge"] {
        for service in ["github", "gitlab"] {
            let team = began(&["--template", template, "--hooks", "--ci", service]);
            team.commit("Begin with orch");
            team.verify().passed();
            assert_eq!(team.repo.git(&["status", "--porcelain"]), "", "{template} {service}");
        }
    }
}

#[test]
fn the_workflow_uses_the_action_beside_it() {
    let team = began(&["--ci", "github"]);
    let workflow = team.read(WORKFLOW);
    assert!(workflow.contains("uses: ./.github/actions/transition-guard"), "{workflow}");
    assert!(workflow.contains(&format!("version: {}\n", env!("CARGO_PKG_VERSION"))), "{workflow}");
    assert!(
        !workflow.contains("source:") && !workflow.contains("pull_request_target"),
        "{workflow}"
    );
    for name in ["action.yml", "guard.sh"] {
        let written = team.read(&format!(".github/actions/transition-guard/{name}"));
        assert_eq!(written, std::fs::read_to_string(action().join(name)).unwrap());
    }
    let source = format!("acme/orch@{COMMIT}");
    let workflow = began(&["--ci", "github", "--source", &source]).read(WORKFLOW);
    assert!(workflow.ends_with(&format!("          source: {source}\n")), "{workflow}");
    let job = began(&["--ci", "gitlab", "--source", &source]).read(".gitlab-ci.yml");
    let build = format!(
        "    - command -v orch || cargo install --locked --git https://github.com/acme/orch --rev {COMMIT} orch\n"
    );
    assert!(job.contains(&build), "{job}");
    // But for where orch comes from, it is the same job.
    let plain = began(&["--ci", "gitlab"]).read(".gitlab-ci.yml");
    let others = |line: &&str| !plain.lines().any(|other| other == *line);
    let added: Vec<&str> = job.lines().filter(others).collect();
    assert_eq!(added, ["  image: rust:1", "  before_script:", build.trim_end()], "{job}");
    let moving = ["init", "--ci", "github", "--source", "acme/orch@main"];
    assert_eq!(Team::over(TestRepo::new()).try_orch("founder", &moving).code, 2);
}

/// The workflow runs for the branches that the policy protects, or for all where GitHub has no such pattern.
#[test]
fn the_workflow_runs_for_what_is_protected() {
    let team = began(&["--template", "strategy"]);
    for (protected, branches) in
        [("protected: [main, 'release/*']", 2), ("protected: [main, 'release/{1,2}']", 0)]
    {
        let policy = team.read(".orch/policy.yaml");
        let line = policy.lines().find(|line| line.starts_with("protected:")).unwrap();
        team.edit(".orch/policy.yaml", line, protected);
        team.orch("founder", &["init", "--ci", "github", "--force"]);
        let workflow = team.read(WORKFLOW);
        let listed = workflow.matches("    branches: [\"main\", \"release/*\"]\n").count();
        assert_eq!(
            (listed, workflow.matches("branches:").count()),
            (branches, branches),
            "{workflow}"
        );
    }
}

/// Where a policy is there already, only the service's files are added, with a person's decision.
#[test]
fn ci_is_added_to_what_has_begun() {
    let team = Team::new();
    team.repo.git(&["switch", "--quiet", "--create", "orch/ci"]);
    let policy = team.read(".orch/policy.yaml");
    let said = team.orch("founder", &["init", "--ci", "github"]);
    assert_eq!(team.read(".orch/policy.yaml"), policy);
    assert!(team.guard(&[]).refused_by("policy-change-undecided").path.starts_with(".github/"));
    let line = said.lines().find(|line| line.trim_start().starts_with("orch decide")).unwrap();
    let script = format!("orch() {{ '{}' \"$@\"; }}; {line}", crate::support::ORCH);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(team.repo.path()).env_clear();
    shell.envs(team.repo.variables()).env("ORCH_AGENT", "founder").env("ORCH_SESSION", "s");
    assert!(shell.status().unwrap().success(), "{line}");
    team.commit("Judge changes in CI");
    team.guard(&["--base", "main"]).passed();
    // The same again changes nothing.
    team.orch("founder", &["init", "--ci", "github"]);
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
}

/// What somebody else wrote stays, byte for byte, and they are told what to add.
#[test]
fn nothing_that_was_there_is_lost() {
    for (service, name, part) in [
        ("gitlab", ".gitlab-ci.yml", "orch guard --base"),
        ("github", WORKFLOW, "transition-guard"),
    ] {
        let team = Team::over(TestRepo::new());
        team.repo.write(name, "test:\n  script: [make]\n");
        for more in [&[][..], &["--template", "team"]] {
            let said = team.try_orch("founder", &[&["init", "--ci", service], more].concat());
            assert!(said.code == 1 && said.err.contains("is there already"), "{said:#?}");
            assert!(said.err.contains(part) || said.err.contains("judge guard"), "{said:#?}");
            assert_eq!(team.read(name), "test:\n  script: [make]\n");
            assert_eq!(team.repo.git(&["ls-files"]), "", "all of it or none");
        }
    }
    let team = began(&["--template", "team"]);
    team.repo.write(".gitlab-ci.yml", "test:\n  script: [make]\n");
    assert_eq!(team.try_orch("founder", &["init", "--ci", "gitlab", "--force"]).code, 1);
    assert_eq!(team.read(".gitlab-ci.yml"), "test:\n  script: [make]\n");
    assert_eq!(team.try_orch("founder", &["init"]).code, 2, "a policy alone is not written twice");
}

/// The page for readers names every input, and everything that the action leaves behind.
#[test]
fn the_page_tells_what_the_action_takes() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(top.join("docs/ci.md")).unwrap();
    let text = std::fs::read(action().join("action.yml")).unwrap();
    let (file, _) = orch::record::document::<serde_json::Value>(&text).unwrap();
    for part in ["inputs", "outputs"] {
        for name in file[part].as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{name}")), "{name}");
        }
    }
}

/// GitHub's own linters have nothing to say of what is written, nor of what this repository runs itself,
/// where they are on the PATH.
#[test]
fn linters_have_nothing_to_say() {
    let source = format!("acme/orch@{COMMIT}");
    let team = began(&["--ci", "github", "--source", &source]);
    lint(team.repo.path());
    lint(Path::new(env!("CARGO_MANIFEST_DIR")));
}

fn lint(top: &Path) {
    let files = |folder: &str| {
        let listed = std::fs::read_dir(top.join(folder)).unwrap();
        listed.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let workflows = files(".github/workflows");
    let action = top.join(".github/actions/transition-guard/action.yml");
    let both = [&workflows[..], &[action]].concat();
    for (linter, files) in [
        (&["actionlint", "-no-color"][..], &workflows),
        (&["zizmor", "--offline", "--no-progress"], &both),
    ] {
        let said = Command::new(linter[0]).args(&linter[1..]).args(files).current_dir(top).output();
        let Ok(said) = said else { continue };
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{}: {text}", linter[0]);
    }
}
