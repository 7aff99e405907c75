//! Signing with the SSH key that Git is configured to use: a file, an agent, or a security key.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::GitRepository;
use crate::snapshot::Fault;

/// A key as `user.signingKey` names it.
pub(super) enum SigningKey {
    /// A file, of the private key or of the public one of a key that an agent holds.
    File(PathBuf),
    /// The public key itself; an agent holds the private one.
    Agent(String),
}

impl GitRepository {
    /// Tells whether Git is configured to sign with an SSH key.
    pub fn signs_with_ssh(&self) -> bool {
        self.config_value("gpg.format").is_some_and(|format| format.eq_ignore_ascii_case("ssh"))
    }

    /// Refuses with a fault if Git is not configured to sign with an SSH key.
    pub(super) fn must_sign_with_ssh(&self) -> Result<(), Fault> {
        if self.signs_with_ssh() {
            return Ok(());
        }
        let help = "let Git sign with an SSH key: `git config gpg.format ssh`, `git config \
                    user.signingKey ~/.ssh/id_ed25519.pub`";
        Err(Fault::new("Git is not configured to sign with an SSH key", help))
    }

    /// Tells whether Git signs every commit.
    pub fn signs_commits(&self) -> bool {
        self.store.repo.config_snapshot().boolean("commit.gpgSign") == Some(true)
    }

    /// Signs bytes for a purpose with the key that Git would sign a commit with, as `ssh-keygen -Y
    /// sign` does; gives the armoured signature. Refuses with a fault if there is no such key, or if
    /// it does not answer.
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String, Fault> {
        self.must_sign_with_ssh()?;
        let program = self.config_value("gpg.ssh.program").unwrap_or_else(|| "ssh-keygen".into());
        let mut command = Command::new(program);
        command.args(["-Y", "sign", "-n", namespace, "-f"]);
        // A key that is given literally is handed over in a file, which must live until the end.
        let _public = match self.signing_key()? {
            SigningKey::File(file) => {
                command.arg(file);
                None
            }
            SigningKey::Agent(public) => {
                let file = temporary(&public)?;
                command.arg(file.path()).arg("-U");
                Some(file)
            }
        };
        let output = self.told(command, bytes)?;
        let signature = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && signature.starts_with("-----BEGIN SSH SIGNATURE-----") {
            return Ok(signature);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        Err(Fault::new(
            format!("the SSH key can't sign: {}", said.trim()),
            "try it by hand: `git commit -S --allow-empty -m test`, or name another key in \
             `user.signingKey`",
        ))
    }

    pub(super) fn signing_key(&self) -> Result<SigningKey, Fault> {
        let named = match self.config_value("user.signingKey") {
            Some(named) => named,
            None => self.default_key()?,
        };
        if let Some(literal) = named.strip_prefix("key::") {
            return Ok(SigningKey::Agent(literal.to_owned()));
        }
        if named.starts_with("ssh-") {
            return Ok(SigningKey::Agent(named));
        }
        let home = self.environment.path("HOME");
        Ok(SigningKey::File(match (named.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.work_dir().unwrap_or(self.git_dir()).join(named),
        }))
    }

    /// Asks the command that Git would ask, such as `ssh-add -L`, for the first key.
    fn default_key(&self) -> Result<String, Fault> {
        let missing = || {
            let help = "name one: `git config user.signingKey ~/.ssh/id_ed25519.pub`";
            Fault::new("Git is not told which SSH key to sign with", help)
        };
        let asked = self.config_value("gpg.ssh.defaultKeyCommand").ok_or_else(missing)?;
        let mut command = Command::new("sh");
        command.args(["-c", &asked]);
        let output = self.told(command, b"")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lines = said.lines().map(str::trim);
        let key = lines.find(|line| line.starts_with("ssh-") || line.starts_with("key::"));
        key.map(str::to_owned).ok_or_else(missing)
    }

    /// Runs a program in this repository's environment with some input.
    fn told(&self, mut command: Command, input: &[u8]) -> Result<Output, Fault> {
        let unable = |error: std::io::Error| {
            Fault::new(
                format!("the program that signs can't be run: {error}"),
                "install OpenSSH 8.2 or newer, or name it in `gpg.ssh.program`",
            )
        };
        command.env_clear().envs(self.environment.variables());
        command.current_dir(self.work_dir().unwrap_or(self.git_dir()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(unable)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that fails at once closes its end early; its own words say why.
            let _closed = stdin.write_all(input);
        }
        child.wait_with_output().map_err(unable)
    }
}

fn temporary(public: &str) -> Result<tempfile::NamedTempFile, Fault> {
    let write = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new()?;
        writeln!(file, "{public}")?;
        file.flush()?;
        Ok(file)
    };
    write().map_err(|error| {
        let message = format!("the public key can't be handed to `ssh-keygen`: {error}");
        Fault::new(message, "see that the temporary folder may be written to (`TMPDIR`)")
    })
}
