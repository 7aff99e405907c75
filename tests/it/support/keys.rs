//! Real keys, made by the real `ssh-keygen`.

use std::process::{Command, Stdio};

use super::TestRepo;

/// Makes a key without a passphrase in the test's own folder; gives the private key's file.
pub(crate) fn key(repo: &TestRepo, name: &str, kind: &[&str]) -> String {
    let file = repo.root().join(name);
    must_run(
        Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", name, "-t"])
            .args(kind)
            .arg("-f")
            .arg(&file),
    );
    file.display().to_string()
}

/// Runs a program of OpenSSH; it must succeed.
pub(crate) fn must_run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("OpenSSH is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Gives the public half of a key, as files of keys spell it.
pub(crate) fn public(key: &str) -> String {
    let text = std::fs::read_to_string(format!("{key}.pub")).expect("ssh-keygen wrote it");
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
