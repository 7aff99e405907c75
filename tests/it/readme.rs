//! Every command of the README, of the worked examples and of the page about CI, run as it stands
//! there, in a fresh repository.

use std::process::Command;

use crate::support::TestRepo;

/// The lines of a document's shell blocks, in order, as one script.
pub(crate) fn script(document: &str) -> String {
    let path = format!("{}/{document}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Runs a script in a fresh repository, until a command fails; all must succeed.
pub(crate) fn run(script: &str) -> TestRepo {
    let repo = TestRepo::new();
    let orch = env!("CARGO_BIN_EXE_orch");
    let script =
        format!("set -e\norch() {{ '{orch}' \"$@\"; }}\ncd '{}'\n{script}", repo.path().display());
    let mut command = Command::new("sh");
    command.arg("-c").arg(&script).env_clear().envs(repo.variables());
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    repo
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let repo = run(&readme("orch demo > demo.txt"));
    let demo = std::fs::read_to_string(repo.path().join("demo.txt")).unwrap();
    assert!(!demo.contains("NOT REFUSED"), "{demo}");
}

/// The pages that go on where the README ends.
const BEHIND: [&str; 4] = ["agent", "reviewer", "founder", "operator"];

/// The pages that begin in a repository of their own.
const PAGES: [&str; 9] = [
    "administrator",
    "alerts",
    "fleet",
    "migrate/controller",
    "migrate/desk",
    "migrate/playbook",
    "migrate/runbook",
    "schedule",
    "tour",
];

/// The commands of the README without the tests, and with this for the demo.
fn readme(demo: &str) -> String {
    script("README.md").replace("cargo run --release -- demo", demo).replace("cargo test ", "true ")
}

#[test]
fn every_command_of_the_pages_does_what_it_says() {
    std::thread::scope(|scope| {
        let pages = PAGES.iter().chain(&BEHIND).copied();
        let pages = pages.map(|page| {
            let before = if BEHIND.contains(&page) { readme("true") } else { String::new() };
            let all = format!("{before}\n{}", script(&format!("docs/{page}.md")));
            (page, scope.spawn(move || drop(run(&all))))
        });
        let pages: Vec<_> = pages.collect();
        let failed =
            pages.into_iter().filter_map(|(page, run)| run.join().is_err().then_some(page));
        assert_eq!(failed.collect::<Vec<_>>(), Vec::<&str>::new());
    });
}

/// R003-28, R003-29, R003-37 to R003-41.
#[test]
fn the_promotion_of_a_backtest_goes_as_it_is_told() {
    let repo = run(&script("docs/promotion.md"));
    let gates = repo.git(&["ls-files", ".orch/tasks/*/promo-001/*-gate.yaml"]);
    assert_eq!(gates.lines().count(), 4, "{gates}");
}

/// What the pages for shells, agents and editors say can be typed.
#[test]
fn the_pages_of_the_desk_do_what_they_say() {
    let repo = run(&script("docs/shell.md"));
    assert!(repo.path().join("man1/orch-run-start.1").exists());
    let repo = run(&script("docs/harnesses.md"));
    assert!(repo.git(&["ls-files", ".claude"]).contains("skills/orch/SKILL.md"));
    let repo = run(&script("docs/editors.md"));
    assert!(repo.path().join("docs/schemas/catalog.json").exists());
}

#[test]
fn ci_is_switched_on_as_it_is_told() {
    let repo = run(&script("docs/ci.md"));
    let landed = repo.git(&["ls-files", ".github/workflows", ".gitlab-ci.yml", ".orch/decisions"]);
    assert_eq!(landed.lines().count(), 3, "{landed}");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}
