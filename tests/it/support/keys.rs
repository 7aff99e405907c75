//! Real keys, made by the real `ssh-keygen`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

/// A real `ssh-agent`, which goes with this value.
pub(crate) struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    /// Starts one beside a repository, and hands it a key.
    pub(crate) fn holding(repo: &TestRepo, key: &str) -> Self {
        let socket = repo.root().join("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("OpenSSH is installed");
        let agent = Agent { process, socket };
        agent.must_come_up();
        must_run(Command::new("ssh-add").args(["-q", key]).env("SSH_AUTH_SOCK", &agent.socket));
        agent
    }

    /// Gives where it is asked.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    fn must_come_up(&self) {
        for _ in 0..500 {
            if self.socket.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("ssh-agent did not come up");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.process.kill().and_then(|()| self.process.wait());
    }
}
