//! Finding and opening a repository, with just as much of the environment as is believed.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf, absolute};

use gix::open::{Options, Permissions};
use gix::sec::{Permission, trust};

use crate::snapshot::{Fault, GitEnvironment};

/// A repository and where it lies.
pub(super) struct Opened {
    pub(super) repo: gix::Repository,
    pub(super) directory: PathBuf,
    pub(super) work_dir: Option<PathBuf>,
    pub(super) quarantine: Option<tempfile::TempDir>,
}

/// Opens the repository that the environment names, or else the one around `directory`.
pub(super) fn open(directory: &Path, environment: &GitEnvironment) -> Result<Opened, Fault> {
    let directory = absolute(directory).map_err(|error| unreadable(directory, &error))?;
    let named = environment.path("GIT_DIR");
    let found = match &named {
        Some(git_dir) => open_at(&directory.join(git_dir), environment),
        None => discover(&directory, environment),
    };
    let mut repo = found.map_err(|error| refused(&directory, &error))?.to_thread_local();
    readable_refs(&repo)?;
    same_common_dir(&repo, &directory, environment)?;
    let work_dir = work_dir(&repo, &directory, environment);
    let quarantine = attach_quarantine(&mut repo, &directory, environment)?;
    Ok(Opened { repo, directory, work_dir, quarantine })
}

fn open_at(
    git_dir: &Path,
    environment: &GitEnvironment,
) -> Result<gix::ThreadSafeRepository, gix::Error> {
    let git_dir = absolute(git_dir).map_err(gix::Error::from_error)?;
    gix::ThreadSafeRepository::open_opts(git_dir, options(environment).open_path_as_is(true))
}

fn discover(
    directory: &Path,
    environment: &GitEnvironment,
) -> Result<gix::ThreadSafeRepository, gix::Error> {
    let upwards = gix::discover::upwards::Options {
        ceiling_dirs: environment.folders("GIT_CEILING_DIRECTORIES"),
        match_ceiling_dir_or_error: false,
        ..Default::default()
    };
    let options = options(environment);
    let options = trust::Mapping { full: options.clone(), reduced: options };
    gix::ThreadSafeRepository::discover_opts(directory, upwards, options)
}

/// Lets gix read files of configuration and no variables but those that name the user's home.
///
/// A file that `GIT_CONFIG_GLOBAL` names is read in the place of the system's. Replaced objects
/// are off: what is judged is what lands (design §5).
fn options(environment: &GitEnvironment) -> Options {
    let mut permissions = Permissions::isolated();
    permissions.env.home = Permission::Allow;
    permissions.env.xdg_config_home = Permission::Allow;
    permissions.config.includes = true;
    let global = environment.path("GIT_CONFIG_GLOBAL");
    let users_own = global.is_none() && environment.value("HOME").is_some();
    permissions.config.user = users_own;
    permissions.config.git = users_own;
    let global = global.filter(|file| file.as_os_str() != OsStr::new("/dev/null"));
    permissions.config.system = global.is_some() || !environment.is_on("GIT_CONFIG_NOSYSTEM");
    let options = Options::default()
        .permissions(permissions)
        .bail_if_untrusted(true)
        .config_overrides(["core.useReplaceRefs=false"]);
    match global.or_else(|| environment.path("GIT_CONFIG_SYSTEM")) {
        Some(file) => options.system_config_path(file),
        None => options,
    }
}

/// Gives the top of the working tree as Git would take it, except that a `GIT_DIR` seen from a
/// subfolder still means the whole tree.
fn work_dir(
    repo: &gix::Repository,
    directory: &Path,
    environment: &GitEnvironment,
) -> Option<PathBuf> {
    if let Some(named) = environment.path("GIT_WORK_TREE") {
        let joined = directory.join(named);
        let plain = gix::path::normalize(joined.clone().into(), directory);
        return Some(plain.map_or(joined, |plain| plain.into_owned()));
    }
    match repo.workdir() {
        Some(found) => Some(found.to_owned()),
        None if repo.is_bare() => None,
        None => Some(directory.to_owned()),
    }
}

/// Refuses reftable, which gix can't read yet.
fn readable_refs(repo: &gix::Repository) -> Result<(), Fault> {
    let format = repo.config_snapshot().string("extensions.refStorage");
    match format {
        Some(format) if !format.eq_ignore_ascii_case(b"files") => Err(Fault::new(
            format!("this repository keeps its refs as `{format}`, which orch can't read yet"),
            "convert them: `git refs migrate --ref-format=files` (Git 2.48 or newer)",
        )),
        _ => Ok(()),
    }
}

/// Refuses a `GIT_COMMON_DIR` that is not where the repository itself says it is.
fn same_common_dir(
    repo: &gix::Repository,
    directory: &Path,
    environment: &GitEnvironment,
) -> Result<(), Fault> {
    let Some(named) = environment.path("GIT_COMMON_DIR") else { return Ok(()) };
    let real = |folder: &Path| folder.canonicalize().ok();
    if real(&directory.join(&named)) == real(repo.common_dir()) {
        return Ok(());
    }
    Err(Fault::new(
        format!("GIT_COMMON_DIR names `{}`, which is another repository", named.display()),
        "unset it: `unset GIT_COMMON_DIR`",
    ))
}

/// Joins the quarantine of a push with the repository's own store, in a store of its own that
/// holds nothing but a list of both.
fn attach_quarantine(
    repo: &mut gix::Repository,
    directory: &Path,
    environment: &GitEnvironment,
) -> Result<Option<tempfile::TempDir>, Fault> {
    let Some((objects, others)) = environment.quarantine() else { return Ok(None) };
    let mut folders = vec![directory.join(objects), repo.objects.store_ref().path().to_owned()];
    folders.extend(others);
    let failed = |error: &dyn std::fmt::Display| {
        Fault::new(
            format!("what is pushed can't be read from its quarantine: {error}"),
            "see that the hook may write to its temporary folder (`TMPDIR`)",
        )
    };
    let joined = tempfile::tempdir().map_err(|error| failed(&error))?;
    list_alternates(joined.path(), &folders).map_err(|error| failed(&error))?;
    let store = gix::odb::at_opts(joined.path(), repo.object_hash(), None, Default::default())
        .map_err(|error| failed(&error))?;
    repo.objects = gix::odb::memory::Proxy::new(store, repo.object_hash()).with_write_passthrough();
    Ok(Some(joined))
}

fn list_alternates(store: &Path, folders: &[PathBuf]) -> std::io::Result<()> {
    std::fs::create_dir_all(store.join("info"))?;
    std::fs::create_dir_all(store.join("pack"))?;
    let mut list = std::fs::File::create(store.join("info").join("alternates"))?;
    for folder in folders {
        let folder = folder.canonicalize()?;
        let line = gix::path::into_bstr(folder.as_path()).map_err(std::io::Error::other)?;
        if line.contains(&b'\n') {
            return Err(std::io::Error::other("a folder's name has a newline in it"));
        }
        list.write_all(&line)?;
        list.write_all(b"\n")?;
    }
    list.flush()
}

fn refused(directory: &Path, error: &gix::Error) -> Fault {
    let shown = directory.display();
    if error.is_permission_denied() {
        return Fault::new(
            format!("the repository at `{shown}` belongs to another user"),
            format!("if you trust it: `git config --global --add safe.directory '{shown}'`"),
        );
    }
    if error.is_not_found() {
        return Fault::new(
            format!("there is no Git repository at `{shown}` or above it"),
            "go to one, or make one: `git init`",
        );
    }
    Fault::new(
        format!("the repository at `{shown}` can't be opened: {error}"),
        "see what Git says of it: `git status`",
    )
}

fn unreadable(directory: &Path, error: &std::io::Error) -> Fault {
    Fault::new(
        format!("the folder `{}` can't be read: {error}", directory.display()),
        "go to a folder that exists",
    )
}
