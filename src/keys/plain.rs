//! Signatures over bytes as they are, which formats of other worlds ask for; `ssh-keygen -Y sign` puts
//! what it signs into an envelope of its own. Ed25519 alone: the same key and bytes give the same
//! signature, and every reader knows it.

use std::fmt;

use ssh_key::public::{Ed25519PublicKey, KeyData, PublicKey};
use ssh_key::{PrivateKey, SigningKey};

/// The length of a signature in bytes.
const SIGNATURE: usize = 64;
/// What an agent is asked, and what it answers (draft-ietf-sshm-ssh-agent).
const LIST: u8 = 11;
const LISTED: u8 = 12;
const SIGN: u8 = 13;
const SIGNED: u8 = 14;

/// An Ed25519 key that others can check signatures with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainKey([u8; 32]);

/// The secret half of such a key, out of a file that no passphrase protects.
pub struct SecretKey(Box<PrivateKey>);

/// A signature and the key that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainSignature {
    /// Who signed.
    pub key: PlainKey,
    /// The signature itself.
    pub bytes: [u8; SIGNATURE],
}

/// What a file of OpenSSH's holds.
pub enum KeyFile {
    /// A public key.
    Public(PlainKey),
    /// A secret key that can be used.
    Secret(SecretKey),
    /// A secret key behind a passphrase, and the public half of it.
    Locked(PlainKey),
}

/// Why a file holds no key that can sign bytes as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlainKey {
    /// It is a key of another kind.
    Algorithm(String),
    /// It is no key.
    Unreadable,
}

impl fmt::Display for NoPlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPlainKey::Algorithm(name) => write!(f, "it is a key of the kind `{name}`"),
            NoPlainKey::Unreadable => f.write_str("it is no key as OpenSSH writes it"),
        }
    }
}

impl KeyFile {
    /// Reads a file of a key: `ssh-ed25519 AAAA…`, or what `ssh-keygen` writes beside it.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoPlainKey> {
        if !bytes.starts_with(b"-----BEGIN") {
            let text = std::str::from_utf8(bytes).map_err(|_| NoPlainKey::Unreadable)?;
            return PlainKey::parse(text).map(KeyFile::Public);
        }
        let secret = PrivateKey::from_openssh(bytes).map_err(|_| NoPlainKey::Unreadable)?;
        let key = PlainKey::of(secret.public_key())?;
        match secret.is_encrypted() {
            true => Ok(KeyFile::Locked(key)),
            false => Ok(KeyFile::Secret(SecretKey(Box::new(secret)))),
        }
    }
}

impl PlainKey {
    /// Reads a public key as OpenSSH writes it, `ssh-ed25519 AAAA…`.
    pub fn parse(text: &str) -> Result<Self, NoPlainKey> {
        let key = PublicKey::from_openssh(text.trim()).map_err(|_| NoPlainKey::Unreadable)?;
        PlainKey::of(&key)
    }

    fn of(key: &PublicKey) -> Result<Self, NoPlainKey> {
        let Some(key) = key.key_data().ed25519() else {
            return Err(NoPlainKey::Algorithm(key.algorithm().to_string()));
        };
        Ok(PlainKey(key.0))
    }

    /// Gives the key's 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Gives the key as an agent is told it.
    fn blob(&self) -> Vec<u8> {
        [string(b"ssh-ed25519"), string(&self.0)].concat()
    }

    /// Gives the key's name, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> super::Fingerprint {
        super::Fingerprint::of(&KeyData::Ed25519(Ed25519PublicKey(self.0)))
    }
}

impl SecretKey {
    /// Gives the public half.
    pub fn key(&self) -> PlainKey {
        PlainKey::of(self.0.public_key()).expect("it was read as an Ed25519 key")
    }

    /// Signs bytes as they are.
    pub fn sign(&self, bytes: &[u8]) -> PlainSignature {
        let signature = signed(&*self.0, bytes);
        let bytes = signature.try_into().expect("an Ed25519 signature has 64 bytes");
        PlainSignature { key: self.key(), bytes }
    }
}

fn signed(key: &impl SigningKey, bytes: &[u8]) -> Vec<u8> {
    key.sign(bytes).as_bytes().to_vec()
}

/// Gives what asks an agent for the keys that it holds.
pub fn ask_for_keys() -> Vec<u8> {
    string(&[LIST])
}

/// Tells whether an agent's answer names a key.
pub fn answer_names(answer: &[u8], key: &PlainKey) -> bool {
    let Some((&LISTED, mut rest)) = answer.split_first() else { return false };
    let wanted = key.blob();
    let Some(count) = number(&mut rest) else { return false };
    // Each key is followed by a comment.
    (0..count).map_while(|_| taken(&mut rest).zip(taken(&mut rest))).any(|(blob, _)| blob == wanted)
}

/// Gives what asks an agent to sign bytes as they are.
pub fn ask_to_sign(key: &PlainKey, bytes: &[u8]) -> Vec<u8> {
    let flags = 0_u32.to_be_bytes();
    string(&[&[SIGN][..], &string(&key.blob()), &string(bytes), &flags].concat())
}

/// Reads the signature out of an agent's answer; none if it did not sign.
pub fn answer_signs(answer: &[u8], key: PlainKey) -> Option<PlainSignature> {
    let Some((&SIGNED, mut rest)) = answer.split_first() else { return None };
    let mut signature = taken(&mut rest)?;
    let kind = taken(&mut signature)?;
    let bytes = taken(&mut signature)?.try_into().ok()?;
    (kind == b"ssh-ed25519").then_some(PlainSignature { key, bytes })
}

/// Writes bytes behind their length.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("nobody signs four gigabytes");
    [&length.to_be_bytes()[..], bytes].concat()
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

/// Reads bytes that stand behind their length.
fn taken<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second key of RFC 8032, section 7.1, as `ssh-keygen` would write it.
    const PUBLIC: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";

    fn secret() -> SecretKey {
        let hex = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex");
        let pair = ssh_key::private::Ed25519Keypair::from_seed(&std::array::from_fn(byte));
        SecretKey(Box::new(PrivateKey::from(pair)))
    }

    /// RFC 8032 tells what this key signs one byte with: nothing was put around it.
    #[test]
    fn bytes_are_signed_as_they_are() {
        let signature = secret().sign(&[0x72]);
        let hex: String = signature.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let told = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                    085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(hex, told);
        assert_eq!(PlainKey::parse(PUBLIC), Ok(signature.key));
    }

    #[test]
    fn a_file_tells_what_it_holds() {
        let written = secret().0.to_openssh(ssh_key::LineEnding::LF).expect("a key");
        assert!(matches!(KeyFile::parse(written.as_bytes()), Ok(KeyFile::Secret(_))));
        assert!(matches!(KeyFile::parse(PUBLIC.as_bytes()), Ok(KeyFile::Public(_))));
        let other = "ecdsa-sha2-nistp256 \
            AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCbvzr0O6eNKZpGH4Ys6kSKy9zOUW2Scyfn5Ien52tgSkCOL3pzHuzMNFQxncE3SWucFUgV0S28xv0BwdFhy0OY=";
        let named = NoPlainKey::Algorithm("ecdsa-sha2-nistp256".into());
        assert_eq!(KeyFile::parse(other.as_bytes()).err(), Some(named));
        for no_key in [&b""[..], b"-----BEGIN", b"\xff", b"ssh-ed25519"] {
            assert_eq!(KeyFile::parse(no_key).err(), Some(NoPlainKey::Unreadable), "{no_key:?}");
        }
    }

    #[test]
    fn an_agent_is_asked_and_its_answer_read() {
        let secret = secret();
        let key = secret.key();
        let listed = |keys: &[PlainKey]| {
            let count = u32::try_from(keys.len()).expect("few").to_be_bytes();
            let keys = keys.iter().map(|key| [string(&key.blob()), string(b"name")].concat());
            [&[LISTED][..], &count, &keys.collect::<Vec<_>>().concat()].concat()
        };
        let other = PlainKey([7; 32]);
        assert!(answer_names(&listed(&[other, key]), &key));
        assert!(!answer_names(&listed(&[other]), &key) && !answer_names(&[5], &key));

        let asked = ask_to_sign(&key, b"text");
        assert_eq!(asked[4], SIGN);
        assert_eq!(asked.len(), 4 + 1 + (4 + 51) + (4 + 4) + 4);
        let made = secret.sign(b"text");
        let inner = [string(b"ssh-ed25519"), string(&made.bytes)].concat();
        let answer = [&[SIGNED][..], &string(&inner)].concat();
        assert_eq!(answer_signs(&answer, key), Some(made));
        for end in 0..answer.len() {
            assert_eq!(answer_signs(&answer[..end], key), None, "{end}");
        }
    }
}
