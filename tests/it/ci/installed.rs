//! Where the action gets orch from, where a runner has none.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::runner::{BRANCH, Event, Server, Step, action, run_with};
use crate::support::{ORCH, TestRepo, write_script};

const NAME: &str = "orch-x86_64-unknown-linux-musl";

/// A runner with a checkout to judge and no orch, and a server of releases.
struct Setting {
    event: Event,
    clone: TestRepo,
    releases: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let server = Server::new();
        server.team.hand_over_strategy(&[]);
        server.push(BRANCH, BRANCH);
        let event = server.pull_request(BRANCH);
        let clone = server.checkout(&event, 1);
        let version = env!("CARGO_PKG_VERSION");
        let releases = clone.root().join(format!("acme/orch/releases/download/v{version}"));
        // The program that was built for tests is large: what is released here calls it.
        let program = releases.join(NAME).join("orch");
        write_script(&program, &format!("#!/bin/sh\nexec '{ORCH}' \"$@\"\n"));
        let setting = Setting { event, clone, releases };
        setting.shell(&format!(
            "tar -czf {NAME}.tar.gz {NAME} && sha256sum {NAME}.tar.gz > SHA256SUMS"
        ));
        setting
    }

    fn shell(&self, script: &str) {
        let done = Command::new("sh").arg("-c").arg(script).current_dir(&self.releases).status();
        assert!(done.unwrap().success(), "{script}");
    }

    fn run(&self, inputs: &[(&str, &str)]) -> Step {
        let server = format!("file://{}", self.clone.root().display());
        let more: [(&str, OsString); 1] = [("GITHUB_SERVER_URL", server.into())];
        run_with(&self.clone, &self.event, inputs, &more)
    }
}

#[test]
fn a_release_is_taken_if_it_is_what_was_released() {
    let setting = Setting::new();
    let version = env!("CARGO_PKG_VERSION");
    let release = [("source", "acme/orch"), ("version", version)];
    setting.run(&release).ended(0);
    let pinned = |digest: &str| {
        let pinned = [&release[..], &[("sha256", digest)]].concat();
        setting.run(&pinned)
    };
    let sums = std::fs::read_to_string(setting.releases.join("SHA256SUMS")).unwrap();
    pinned(sums.split(' ').next().unwrap()).ended(0);
    pinned(&"0".repeat(64)).ended(2);
    setting.shell(&format!("echo more >> {NAME}.tar.gz"));
    let step = setting.run(&release);
    step.ended(2);
    assert!(step.said.out.contains("its checksum differs"), "{step:#?}");
    setting.shell("echo > SHA256SUMS");
    setting.run(&release).ended(2);
    setting.shell(&format!("rm {NAME}.tar.gz"));
    setting.run(&release).ended(2);
}

/// Nothing is taken that could be something else tomorrow, or that is not what was asked for.
#[test]
fn what_is_asked_for_is_what_judges() {
    let setting = Setting::new();
    for source in ["acme/orch@main", "acme/orch@v0.1.0", "acme/orch"] {
        setting.run(&[("source", source)]).ended(2);
    }
    setting.run(&[("source", "acme/orch"), ("version", "9.9.9")]).ended(2);
}

/// Attack 14: a change that brings a program of orch's name beside the action is not judged by it.
#[test]
fn what_is_judged_does_not_judge() {
    let setting = Setting::new();
    setting.clone.write("Cargo.toml", "[package]\nname = \"orch\"\nversion = \"0.1.0\"\n");
    let own = setting.clone.path().join(".github/actions/transition-guard");
    std::fs::create_dir_all(&own).unwrap();
    let step = run_with(
        &setting.clone,
        &setting.event,
        &[],
        &[("PATH", "/usr/bin:/bin".into()), ("GITHUB_ACTION_PATH", own.into())],
    );
    step.ended(2);
    assert!(step.said.out.contains("there is no orch"), "{step:#?}");
}

/// The token is for fetching alone: no other program gets to see it.
#[test]
fn the_token_is_gits_alone() {
    let setting = Setting::new();
    let spy = setting.clone.root().join("bin");
    let seen = setting.clone.root().join("seen");
    let script = format!("#!/bin/sh\nenv >> '{}'\nexec '{ORCH}' \"$@\"\n", seen.display());
    write_script(&spy.join("orch"), &script);
    let path = format!("{}:{}", spy.display(), std::env::var("PATH").unwrap());
    let more: [(&str, OsString); 1] = [("PATH", path.into())];
    let step = run_with(&setting.clone, &setting.event, &[("token", "s3cret")], &more);
    step.ended(0);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("PR_HEAD=") && !seen.contains("s3cret"), "{seen}");
    assert!(!format!("{step:?}").contains("s3cret"), "{step:#?}");
}

/// What is downloaded, here and by cargo-binstall, is what a tag releases.
#[test]
fn what_is_downloaded_is_what_is_released() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(top.join(name)).unwrap();
    let release = read(".github/workflows/release.yml");
    let script = std::fs::read_to_string(action().join("guard.sh")).unwrap();
    let targets =
        script.lines().filter_map(|line| line.split_once(") echo ")?.1.strip_suffix(" ;;"));
    let targets: Vec<&str> = targets.collect();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for target in targets {
        assert!(release.contains(&format!("target: {target}, ")), "{target}");
    }
    assert!(release.contains("dist/orch-$TARGET.tar.gz\" -C dist \"orch-$TARGET\""), "{release}");
    let cargo = read("Cargo.toml");
    assert!(cargo.contains("/releases/download/v{ version }/orch-{ target }.tar.gz\""));
    assert!(cargo.contains("bin-dir = \"orch-{ target }/{ bin }{ binary-ext }\""));
}
