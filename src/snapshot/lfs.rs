//! Git LFS pointers: the small text that stands in the tree where a large file is meant.

use crate::source::Digest;

/// Where a pointer's specification lies; a pointer's first line says so.
const VERSION: &str = "https://git-lfs.github.com/spec/v1";

/// A pointer is shorter than this, by its specification.
const LIMIT: usize = 1024;

/// What a pointer says of the file it stands for (attack 51).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// The SHA-256 of the file.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Reads a pointer by the letter of its specification; anything else is an ordinary file.
///
/// The version comes first, then the keys in alphabetical order, one line each with one space and
/// a final newline. Extensions are taken and skipped.
pub fn pointer(bytes: &[u8]) -> Option<Pointer> {
    if bytes.len() >= LIMIT {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut lines = text.split('\n').map(|line| line.split_once(' '));
    if lines.next()?? != ("version", VERSION) {
        return None;
    }
    let (mut digest, mut size, mut before) = (None, None, "");
    for line in lines {
        let (key, value) = line?;
        if key <= before || !known(key, value) {
            return None;
        }
        match key {
            "oid" => digest = Some(Digest::from_hex(value.strip_prefix("sha256:")?)?),
            "size" => size = Some(length(value)?),
            _ => {}
        }
        before = key;
    }
    Some(Pointer { digest: digest?, size: size? })
}

/// Keys that may stand in a pointer: the two that must, and `ext-<digit>-<name>`.
fn known(key: &str, value: &str) -> bool {
    let extension = |rest: &str| {
        let rest = rest.as_bytes();
        rest.len() > 2 && rest[0].is_ascii_digit() && rest[1] == b'-' && !value.is_empty()
    };
    matches!(key, "oid" | "size") || key.strip_prefix("ext-").is_some_and(extension)
}

fn length(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    digits.parse().ok().filter(|_| plain && !padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    fn text(oid: &str, size: &str) -> String {
        format!("version {VERSION}\noid {oid}\nsize {size}\n")
    }

    /// Attack 51: a pointer is judged by the oid it carries.
    #[test]
    fn a_pointer_names_digest_and_size() {
        let read = pointer(text(&format!("sha256:{HEX}"), "12345").as_bytes()).expect("a pointer");
        assert_eq!(read.digest.hex(), HEX);
        assert_eq!(read.size, 12345);
        let extended =
            format!("version {VERSION}\next-0-foo sha256:{HEX}\noid sha256:{HEX}\nsize 0\n");
        assert_eq!(pointer(extended.as_bytes()).map(|read| read.size), Some(0));
    }

    #[test]
    fn what_is_not_quite_a_pointer_is_an_ordinary_file() {
        let good = text(&format!("sha256:{HEX}"), "1");
        let padded = format!("{good}{}", "x".repeat(LIMIT));
        for bad in [
            "",
            "\n",
            "version",
            good.trim_end(),
            &good.replace('\n', "\r\n"),
            &good.replace("sha256:", "md5:"),
            &good.replace("sha256:", ""),
            &text(&format!("sha256:{}", HEX.to_uppercase()), "1"),
            &text(&format!("sha256:{HEX}"), "01"),
            &text(&format!("sha256:{HEX}"), "+1"),
            &text(&format!("sha256:{HEX}"), "-1"),
            &text(&format!("sha256:{HEX}"), "99999999999999999999"),
            &format!("oid sha256:{HEX}\nversion {VERSION}\nsize 1\n"),
            &format!("version {VERSION}\nsize 1\noid sha256:{HEX}\n"),
            &format!("version {VERSION}\noid sha256:{HEX}\n"),
            &format!("version {VERSION}\noid sha256:{HEX}\noid sha256:{HEX}\nsize 1\n"),
            &format!("{good}zzz 1\n"),
            &format!("{good}\n"),
            &good.replace("v1", "v2"),
            &padded,
        ] {
            assert_eq!(pointer(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(pointer(b"version \xff\n"), None);
    }
}
