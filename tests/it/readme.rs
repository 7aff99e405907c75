//! Every command of the README, run as it stands there, in a fresh repository.

use std::process::Command;

use crate::support::TestRepo;

/// The lines of the README's shell blocks, in order, as one script.
fn script() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let blocks = readme.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let repo = TestRepo::new();
    let orch = env!("CARGO_BIN_EXE_orch");
    let script = script()
        .replace("cargo run --release -- demo", "orch demo > demo.txt")
        .replace("cargo test ", "true ");
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
    let demo = std::fs::read_to_string(repo.path().join("demo.txt")).unwrap();
    assert!(!demo.contains("NOT REFUSED"), "{demo}");
}
