//! SHA-256 digests as records write them: `sha256:` and 64 lowercase hex digits (R000-33).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes the bytes as they are.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// Hashes everything that a reader gives, however much it is; gives the reader's own error.
    pub fn of_all(reader: &mut impl std::io::Read) -> std::io::Result<Self> {
        let (mut hash, mut part) = (Sha256::new(), vec![0; 1 << 16]);
        loop {
            match reader.read(&mut part)? {
                0 => return Ok(Digest(hash.finalize().into())),
                count => hash.update(&part[..count]),
            }
        }
    }

    /// Hashes ever longer beginnings: the first part, the first two, and so on.
    pub fn of_beginnings<'p>(
        parts: impl IntoIterator<Item = &'p [u8]>,
    ) -> impl Iterator<Item = Self> {
        let mut hash = Sha256::new();
        parts.into_iter().map(move |part| {
            hash.update(part);
            Digest(hash.clone().finalize().into())
        })
    }

    /// Gives the 64 hex digits without the `sha256:` in front.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Takes 64 lowercase hex digits; anything else gives `None`.
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Digest(bytes))
    }
}

/// Writes bytes as lowercase hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Why a text is no digest: only `sha256:` and 64 lowercase hex digits are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestFault;

impl fmt::Display for DigestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a checksum is `sha256:` and 64 lowercase hex digits")
    }
}

impl FromStr for Digest {
    type Err = DigestFault;

    fn from_str(text: &str) -> Result<Self, DigestFault> {
        text.strip_prefix("sha256:").and_then(Digest::from_hex).ok_or(DigestFault)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let example = Digest::of(b"").to_string();
        schemars::json_schema!({
            "type": "string",
            "pattern": "^sha256:[0-9a-f]{64}$",
            "examples": [example],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_read_back() {
        let digest = Digest::of(b"test");
        let text = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
    }

    #[test]
    fn every_beginning_has_its_digest() {
        let parts = [&b"te"[..], b"", b"st"];
        let digests: Vec<_> = Digest::of_beginnings(parts).collect();
        assert_eq!(digests, [Digest::of(b"te"), Digest::of(b"te"), Digest::of(b"test")]);
    }

    /// Attack 84: other algorithms, upper case, truncated and placeholder digests.
    #[test]
    fn anything_but_64_lowercase_hex_digits_is_refused() {
        let upper = format!("sha256:{}", Digest::of(b"test").hex().to_uppercase());
        for text in ["", "sha256:", "sha256:abc123", "md5:9f86d081", &upper, "9f86d081"] {
            assert_eq!(text.parse::<Digest>(), Err(DigestFault), "{text}");
        }
    }
}
