//! Keys and signatures: who signed which bytes with what, and whose keys those are.
//!
//! The only room that knows the SSH formats. It judges bytes; which agent may sign what is the
//! policy's to say.

mod plain;
mod signature;
mod signers;

use std::fmt;

use ssh_key::HashAlg;
use ssh_key::public::{KeyData, PublicKey};

pub use plain::{
    KeyFile, NoPlainKey, PlainKey, PlainSignature, SecretKey, answer_names, answer_signs,
    ask_for_keys, ask_to_sign,
};
pub use signature::Signature;
pub use signers::{LineFault, Refused, Signers};

/// What a record's signature says it is for (`ssh-keygen -Y sign -n orch`).
pub const RECORD_NAMESPACE: &str = "orch";
/// What Git says that a commit's signature is for.
pub const COMMIT_NAMESPACE: &str = "git";

/// An SSH key's name: `SHA256:` and the digest of the public key, as `ssh-keygen -l` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Takes a public key as OpenSSH writes it (`ssh-ed25519 AAAA…`), or the fingerprint of one;
    /// gives none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("SHA256:") {
            let known: ssh_key::Fingerprint = text.parse().ok()?;
            return Some(Fingerprint(known.to_string()));
        }
        Some(Self::of(PublicKey::from_openssh(text).ok()?.key_data()))
    }

    fn of(key: &KeyData) -> Self {
        Fingerprint(key.fingerprint(HashAlg::Sha256).to_string())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIK6hFFu+mMg0ERTmKHkzGKewxDk8PsvnhkPXDgpFdQyX";

    /// As `ssh-keygen -l` names this key.
    #[test]
    fn a_key_and_its_fingerprint_are_one_name() {
        let name = "SHA256:l6G1G4fdKkxm2Xqr3gAlFdSweqA5CgUzc8GhUUl4dNg";
        assert_eq!(Fingerprint::parse(KEY).map(|key| key.to_string()).as_deref(), Some(name));
        assert_eq!(Fingerprint::parse(name), Fingerprint::parse(KEY));
        let with_comment = format!("{KEY} ada@example.org");
        assert_eq!(Fingerprint::parse(&with_comment), Fingerprint::parse(KEY));
        for no_key in ["", "SHA256:x", "MD5:00", "ssh-ed25519", "ssh-ed25519 AAAA", "ada@x.org"] {
            assert_eq!(Fingerprint::parse(no_key), None, "{no_key}");
        }
    }
}
