//! One signature: an armoured SSHSIG, as `ssh-keygen -Y sign` and Git write it.

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, SshSig};

use super::Fingerprint;

/// A signature that could be read; whether it holds is asked with the bytes.
#[derive(Debug, Clone)]
pub struct Signature(SshSig);

/// The largest signature that is looked at, in bytes; one by RSA with 16,384 bits has 6,000.
const MAX_SIGNATURE: usize = 64 << 10;
/// The bit of a security key's flags that says that somebody touched it.
const TOUCHED: u8 = 1;

impl Signature {
    /// Reads an armoured signature; refuses, in words, what is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_SIGNATURE {
            return Err("it is too long to be a signature".into());
        }
        // What `ssh-keygen` would not read could never be checked without orch.
        if !bytes.starts_with(b"-----BEGIN SSH SIGNATURE-----\n") || bytes.contains(&b'\r') {
            return Err("it is no SSH signature as `ssh-keygen` writes it".into());
        }
        let read = SshSig::from_pem(bytes.trim_ascii_end());
        read.map(Signature).map_err(|error| format!("it is no SSH signature: {error}"))
    }

    /// Gives the key that made it, if that is a signature over these bytes for this purpose;
    /// refuses, in words, any other.
    pub fn verify(&self, namespace: &str, bytes: &[u8]) -> Result<Fingerprint, String> {
        let Signature(signature) = self;
        if signature.namespace() != namespace {
            return Err(format!("it was made for `{}`, not for `{namespace}`", self.namespace()));
        }
        let key = ssh_key::PublicKey::from(signature.public_key().clone());
        key.verify(namespace, bytes, signature).map_err(|error| match error {
            ssh_key::Error::AlgorithmUnsupported { .. } | ssh_key::Error::AlgorithmUnknown => {
                format!("its algorithm, {}, is not supported", signature.algorithm())
            }
            _ => "it is over other bytes".to_owned(),
        })?;
        if is_untouched(signature) {
            return Err("nobody touched the security key that made it".into());
        }
        Ok(Fingerprint::of(signature.public_key()))
    }

    /// Gives what it says it is for, fit to be shown.
    fn namespace(&self) -> String {
        self.0.namespace().escape_default().take(64).collect()
    }
}

/// A security key says in the signature's last five bytes whether somebody was there.
fn is_untouched(signature: &SshSig) -> bool {
    let by_hardware =
        matches!(signature.public_key(), KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_))
            || matches!(
                signature.algorithm(),
                Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
            );
    let trailer = signature.signature_bytes().iter().rev().nth(4);
    by_hardware && trailer.is_none_or(|flags| flags & TOUCHED == 0)
}
