//! Signing bytes as they are with the SSH key that Git is configured to use: by a file that no
//! passphrase protects, or by an agent.

use std::io;
use std::path::{Path, PathBuf};

use super::GitRepository;
use super::sign::SigningKey;
use crate::keys::{self, KeyFile, NoPlainKey, PlainKey, PlainSignature, SecretKey};
use crate::snapshot::Fault;

/// The key that Git would sign a commit with, ready to sign bytes as they are.
pub struct PlainSigner(Holder);

/// Who holds the secret half.
enum Holder {
    File(SecretKey),
    Agent { socket: PathBuf, key: PlainKey },
}

/// The longest answer of an agent that is read, in bytes; OpenSSH's own limit.
#[cfg(unix)]
const MAX_ANSWER: usize = 256 << 10;

impl GitRepository {
    /// Gives the key that Git would sign a commit with, if it can sign bytes as they are: an Ed25519 key,
    /// in a file without a passphrase or held by an agent. Where Git is given the public half, the agent
    /// is asked first, as OpenSSH does.
    pub fn plain_signer(&self) -> Result<PlainSigner, Fault> {
        self.must_sign_with_ssh()?;
        let file = match self.signing_key()? {
            SigningKey::Agent(public) => {
                let key = PlainKey::parse(&public).map_err(|why| no_plain_key("the key", &why))?;
                let named = Path::new("~/.ssh/id_ed25519");
                return self.held_by_agent(key).ok_or_else(|| nobody_holds(&key, named));
            }
            SigningKey::File(file) => file,
        };
        let key = match key_file(&file)? {
            KeyFile::Secret(secret) => return Ok(PlainSigner(Holder::File(secret))),
            KeyFile::Locked(key) | KeyFile::Public(key) => key,
        };
        if let Some(signer) = self.held_by_agent(key) {
            return Ok(signer);
        }
        // `id_ed25519.pub` stands beside the secret half of it.
        let beside = match file.extension().is_some_and(|ending| ending == "pub") {
            true => file.with_extension(""),
            false => file,
        };
        match beside.is_file().then(|| key_file(&beside)).transpose()? {
            Some(KeyFile::Secret(secret)) if secret.key() == key => {
                Ok(PlainSigner(Holder::File(secret)))
            }
            _ => Err(nobody_holds(&key, &beside)),
        }
    }

    fn held_by_agent(&self, key: PlainKey) -> Option<PlainSigner> {
        let socket = self.environment.path("SSH_AUTH_SOCK")?;
        let answer = ask(&socket, &keys::ask_for_keys()).ok()?;
        keys::answer_names(&answer, &key).then_some(PlainSigner(Holder::Agent { socket, key }))
    }
}

impl PlainSigner {
    /// Gives the public half of the key.
    pub fn key(&self) -> PlainKey {
        match &self.0 {
            Holder::File(secret) => secret.key(),
            Holder::Agent { key, .. } => *key,
        }
    }

    /// Signs bytes as they are; refuses with a fault if the agent does not.
    pub fn sign(&self, bytes: &[u8]) -> Result<PlainSignature, Fault> {
        let (socket, key) = match &self.0 {
            Holder::File(secret) => return Ok(secret.sign(bytes)),
            Holder::Agent { socket, key } => (socket, key),
        };
        let answer = ask(socket, &keys::ask_to_sign(key, bytes)).map_err(|error| {
            let message = format!("the SSH agent does not answer: {error}");
            Fault::new(message, "see that it runs: `ssh-add -l`")
        })?;
        keys::answer_signs(&answer, *key).ok_or_else(|| {
            let message = format!("the SSH agent did not sign with {}", key.fingerprint());
            Fault::new(message, "confirm it if the agent asks; see what it holds: `ssh-add -l`")
        })
    }
}

fn key_file(file: &Path) -> Result<KeyFile, Fault> {
    let named = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| {
        let message = format!("the key {named} can't be read: {error}");
        Fault::new(message, "name another one: `git config user.signingKey ~/.ssh/id_ed25519.pub`")
    })?;
    KeyFile::parse(&bytes).map_err(|why| no_plain_key(&named, &why))
}

fn no_plain_key(named: &str, why: &NoPlainKey) -> Fault {
    Fault::new(
        format!("{named} can't sign these: {why}"),
        "they are signed with an Ed25519 key: `ssh-keygen -t ed25519`; then `git config user.signingKey \
         FILE`",
    )
}

fn nobody_holds(key: &PlainKey, file: &Path) -> Fault {
    Fault::new(
        format!("nobody here holds the secret half of {}, or it is locked", key.fingerprint()),
        format!("give it to an agent: `ssh-add {}`", file.display()),
    )
}

/// Sends a question to an agent, and reads its answer.
#[cfg(unix)]
fn ask(socket: &Path, question: &[u8]) -> io::Result<Vec<u8>> {
    use std::io::{Read as _, Write as _};

    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.write_all(question)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_ANSWER {
        return Err(io::Error::other("its answer is too long"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Elsewhere agents are no sockets.
#[cfg(not(unix))]
fn ask(_socket: &Path, _question: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}
