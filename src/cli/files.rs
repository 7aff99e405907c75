//! Writing files: whole or not at all, and never where nobody asked to write.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Stop;
use super::context::Context;
use crate::snapshot::Fault;
use crate::source::Digest;

/// How the names of files begin that are yet to be moved to their place.
pub(super) const TEMPORARY: &str = ".orch-";
/// What is older is nobody's any more.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// Writes a file whole, or not at all: beside its place first, then moved there. What may be done with a
/// file that is there may be done with it still.
pub(super) fn write_whole(path: &Path, text: impl AsRef<[u8]>) -> Result<(), Fault> {
    let unable = |error: std::io::Error| {
        let message = format!("{} can't be written: {error}", path.display());
        Fault::new(message, "make room, or make the folder writable")
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(unable)?;
    let mut file = tempfile::Builder::new()
        .prefix(&temporary_of(path))
        .permissions(file_permissions())
        .tempfile_in(folder)
        .map_err(unable)?;
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions()).map_err(unable)?;
    }
    file.write_all(text.as_ref()).map_err(unable)?;
    file.as_file().sync_all().map_err(unable)?;
    file.persist(path).map_err(|error| unable(error.error))?;
    Ok(())
}

/// Gives the folder that a command was asked to write files into, made if it is not there.
pub(super) fn output_folder(context: &Context, folder: &Path) -> Result<PathBuf, Stop> {
    let place = context.directory().join(folder);
    fs::create_dir_all(&place).map_err(|error| {
        let message = format!("{} can't be made: {error}", folder.display());
        Stop::fault(message, "name another folder")
    })?;
    Ok(place)
}

/// Writes what a command was asked to write into a file, whole or not at all. A link is followed, and what is
/// no plain file (a pipe, a device) is written to and never replaced.
pub(super) fn write_output(path: &Path, text: &str) -> Result<(), Fault> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let known = fs::metadata(&path).ok();
    let unable = |error: &dyn std::fmt::Display| {
        let message = format!("{} can't be written: {error}", path.display());
        Fault::new(message, "name another file")
    };
    match known {
        Some(known) if known.is_dir() => Err(unable(&"it is a folder")),
        Some(known) if !known.is_file() => {
            let file = fs::File::options().write(true).open(&path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| unable(&error))
        }
        Some(known) if known.permissions().readonly() => Err(unable(&"it may only be read")),
        _ => {
            remove_left_behind(&path);
            write_whole(&path, text)
        }
    }
}

/// Writes one of the files that a command fills a folder with. Nobody named it, so a link there leads where nobody
/// asked to write: it is refused.
pub(super) fn write_among(folder: &Path, name: &str, text: &str) -> Result<(), Stop> {
    let place = folder.join(name);
    if place.is_symlink() {
        let message = format!("{} is a link", place.display());
        return Err(Stop::denied(message, "remove it, or name another folder"));
    }
    Ok(write_output(&place, text)?)
}

/// Gives how the names of the files begin that are yet to be moved to a place: told by its name, however long it is.
fn temporary_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!("{TEMPORARY}{}-", &Digest::of(name.as_encoded_bytes()).hex()[..8])
}

/// Removes what commands that were killed left behind of this very output. One that still writes takes no hour.
fn remove_left_behind(path: &Path) {
    let begin = temporary_of(path);
    let Ok(entries) = path.parent().map_or_else(|| fs::read_dir("."), fs::read_dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_string_lossy().starts_with(&begin);
        let known = entry.metadata().ok().filter(|known| ours && known.is_file());
        let age = known.and_then(|known| known.modified().ok()?.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_BEHIND) {
            let _gone_already = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn file_permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}

#[cfg(not(unix))]
fn file_permissions() -> fs::Permissions {
    fs::metadata(".").map(|data| data.permissions()).expect("the current folder can be asked")
}
