//! DSSE, the envelope that signs a statement byte by byte.

use base64ct::{Base64, Encoding as _};
use serde::Serialize;

use super::Statement;
use crate::keys::{PlainKey, PlainSignature};
use crate::source::Digest;
use crate::source::digest::hex;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A statement with a signature over it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    payload: String,
    payload_type: &'static str,
    signatures: [Signature; 1],
}

#[derive(Debug, Serialize)]
struct Signature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Has a statement signed by `sign`, which is given the very bytes to sign; gives its error.
    pub fn around<E>(
        statement: &Statement,
        sign: impl FnOnce(&[u8]) -> Result<PlainSignature, E>,
    ) -> Result<Self, E> {
        let payload = serde_json::to_vec(statement).expect("a statement has text keys only");
        let signature = sign(&to_be_signed(PAYLOAD_TYPE, &payload))?;
        Ok(Envelope {
            payload: Base64::encode_string(&payload),
            payload_type: PAYLOAD_TYPE,
            signatures: [Signature {
                keyid: key_id(&signature.key),
                sig: Base64::encode_string(&signature.bytes),
            }],
        })
    }
}

/// Gives the bytes that are signed: type and payload, each behind its length (DSSE's PAE).
fn to_be_signed(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Gives a key's name as securesystemslib derives it by itself, and so looks for it: the SHA-256 of the key
/// in canonical JSON.
fn key_id(key: &PlainKey) -> String {
    let hex = hex(key.bytes());
    let canonical =
        format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{hex}"}},"scheme":"ed25519"}}"#);
    Digest::of(canonical.as_bytes()).hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of DSSE's own description.
    #[test]
    fn what_is_signed_is_as_dsse_has_it() {
        let signed = to_be_signed("http://example.com/HelloWorld", b"hello world");
        assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
