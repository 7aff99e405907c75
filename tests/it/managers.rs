//! Managers of hooks, the real ones where they are on the PATH: what orch tells to add to them is what makes
//! them call it, at commits and at pushes.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{ORCH, Said, Team, TestRepo};

/// A team with a policy, a manager's file, and orch on the PATH.
fn managed(sign: &str) -> Team {
    let folder = Path::new(ORCH).parent().unwrap().display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let team = Team::over(TestRepo::new()).with_variable("PATH", path);
    team.orch("founder", &["init", "--template", "strategy"]);
    team.repo.write(sign, "");
    team.smuggle("Begin with orch");
    team
}

/// Gives what `orch hooks install` tells to add.
fn told(team: &Team) -> String {
    let said = team.try_orch("", &["hooks", "install"]);
    let (_, text) = said.err.split_once("add this to it:\n\n").expect("it tells");
    let (text, _) = text.split_once("\n\n").expect("and then says that nothing was installed");
    text.to_owned() + "\n"
}

/// Runs a manager in the repository; false if there is none on this machine.
fn run(team: &Team, words: &[&str]) -> bool {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(team.repo.path()).stdin(Stdio::null());
    match command.env_clear().envs(team.repo.variables()).output() {
        Err(_) => false,
        Ok(output) => {
            assert!(output.status.success(), "{words:?}: {:#?}", Said::from(&output));
            true
        }
    }
}

/// Asserts that Git is refused by a check, wherever the manager tells it.
fn refused(team: &Team, words: &[&str], check: &str) {
    let said = team.try_git(words);
    let told = [said.out.as_str(), &said.err].concat();
    assert!(said.code != 0 && told.contains(&format!("error[{check}]")), "{words:?}: {said:#?}");
}

/// Asserts that commits, merges and pushes are judged, and that orch knows through whom.
fn is_judged(team: &Team, manager: &str) {
    team.smuggle("Have the hooks managed");
    let status = team.orch("", &["hooks", "status"]);
    assert_eq!(status.matches(&format!("calls orch through {manager}")).count(), 3, "{status}");

    team.repo.write("deploy/live/config.json", "{}\n");
    team.repo.git(&["add", "deploy"]);
    refused(team, &["commit", "-m", "Foreign"], "branch-protected");
    team.repo.git(&["rm", "--quiet", "--force", "deploy/live/config.json"]);
    team.open("data-001", "data_refresh", &[]);
    team.commit("Open data-001");

    let server = team.repo.clone_to("server.git", &["--bare"]);
    team.repo.git(&["remote", "add", "origin", &format!("file://{}", server.path().display())]);
    team.repo.git(&["fetch", "--quiet"]);
    team.repo.git(&["switch", "--quiet", "--create", "feature/data-001-aside"]);
    team.repo.write("deploy/live/config.json", "{}\n");
    team.smuggle("Foreign");
    let merge = ["merge", "--no-ff", "-m", "Merge", "feature/data-001-aside"];
    team.repo.git(&["switch", "--quiet", "main"]);
    refused(team, &merge, "lane-violation");
    team.repo.git(&["merge", "--abort"]);
    team.repo.git(&["switch", "--quiet", "feature/data-001-aside"]);
    refused(team, &["push", "origin", "HEAD"], "lane-violation");
    assert_eq!(server.git(&["branch", "--list", "feature/*"]), "");
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    team.orch("data_engineer", &["run", "start", "data-001"]);
    team.commit("Begin");
    team.repo.git(&["push", "--quiet", "origin", "HEAD"]);
    assert!(server.git(&["branch"]).contains("feature/data-001-aside"));
}

#[test]
fn pre_commit_and_prek_call_orch() {
    for manager in ["pre-commit", "prek"] {
        let team = managed(".pre-commit-config.yaml");
        let config = format!("repos:\n{}", told(&team));
        team.repo.write(".pre-commit-config.yaml", config);
        let mut words = vec![manager, "install"];
        for hook in ["pre-commit", "pre-merge-commit", "pre-push"] {
            words.extend(["--hook-type", hook]);
        }
        if run(&team, &words) {
            is_judged(&team, "pre-commit");
        }
    }
}

#[test]
fn lefthook_calls_orch() {
    let team = managed("lefthook.yml");
    team.repo.write("lefthook.yml", told(&team));
    if run(&team, &["lefthook", "install"]) {
        is_judged(&team, "lefthook");
    }
}

#[test]
fn husky_calls_orch() {
    let team = managed(".husky/pre-commit");
    let script = told(&team);
    if run(&team, &["husky"]) {
        run(&team, &["sh", "-c", &script]);
        is_judged(&team, "husky");
    }
}

/// The page for readers says the same.
#[test]
fn the_page_tells_what_orch_tells() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hooks.md")).unwrap();
    for sign in [".pre-commit-config.yaml", "lefthook.yml", ".husky/pre-commit"] {
        assert!(page.contains(&told(&managed(sign))), "{sign}");
    }
}

/// What can be taken from this repository by its address is what orch tells to add.
#[test]
fn the_hooks_of_this_repository_are_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let list = format!("hooks:\n{text}");
    let (list, _) = orch::record::document::<serde_json::Value>(list.as_bytes()).unwrap();
    let told = format!("repos:\n{}", told(&managed(".pre-commit-config.yaml")));
    let (told, _) = orch::record::document::<serde_json::Value>(told.as_bytes()).unwrap();
    for hook in list["hooks"].as_array().unwrap() {
        let fields = ["entry", "stages", "always_run", "pass_filenames"];
        let local = told["repos"][0]["hooks"].as_array().unwrap();
        let same =
            |other: &&serde_json::Value| fields.iter().all(|field| other[field] == hook[field]);
        assert!(local.iter().any(|other| same(&other)), "{hook:#}");
    }
}
