//! What can be made anew, kept below `.git/orch/cache` so that it need not be.
//!
//! Nothing here is believed by itself: a name tells what a file is for, and whoever reads it proves it.
//! A file that can't be written or read is one that is not there.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// No file is read that is larger.
const LARGEST: u64 = 64 << 20;

fn place(common_dir: &Path, name: &str) -> Option<PathBuf> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    let parts = name.split('/').all(plain);
    parts.then(|| common_dir.join("orch").join("cache").join(name))
}

/// Gives the bytes that were kept under a name of parts joined by `/`.
pub(super) fn recall(common_dir: &Path, name: &str) -> Option<Vec<u8>> {
    let file = place(common_dir, name)?;
    let small = fs::metadata(&file).is_ok_and(|known| known.is_file() && known.len() <= LARGEST);
    small.then(|| fs::read(&file).ok()).flatten()
}

/// Keeps bytes under a name; who reads meanwhile sees the old ones or the new ones, whole.
pub(super) fn keep(common_dir: &Path, name: &str, bytes: &[u8]) {
    let Some(file) = place(common_dir, name) else { return };
    let write = || -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(common_dir);
        fs::create_dir_all(folder)?;
        let mut half = tempfile::NamedTempFile::new_in(folder)?;
        half.write_all(bytes)?;
        half.persist(&file)?;
        Ok(())
    };
    // What can't be kept is made anew the next time.
    drop(write());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_nothing_outside() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(recall(at, "months/2026-11"), None);
        keep(at, "months/2026-11", b"one");
        keep(at, "months/2026-11", b"two");
        assert_eq!(recall(at, "months/2026-11").as_deref(), Some(&b"two"[..]));
        keep(at, "../outside", b"no");
        keep(at, "months/../../outside", b"no");
        assert_eq!((recall(at, "../outside"), at.join("orch/outside").exists()), (None, false));
        // Where nothing can be written, nothing is kept and nothing fails.
        fs::write(at.join("orch/cache/file"), "").unwrap();
        keep(at, "file/below", b"no");
        assert_eq!(recall(at, "file/below"), None);
    }
}
