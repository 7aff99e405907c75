//! A throwaway repository that real Git works on, cut off from the developer's own settings.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use orch::snapshot::{GitEnvironment, GitRepository, Oid};

/// 2026-11-21T14:00:00Z; every commit is made a minute later than the one before.
const START: u64 = 1_795_269_600;

/// A repository in a temporary folder, which goes when the last clone of it is dropped.
pub(crate) struct TestRepo {
    sandbox: Rc<tempfile::TempDir>,
    path: PathBuf,
    minutes: Rc<Cell<u64>>,
    variables: Vec<(OsString, OsString)>,
}

impl TestRepo {
    /// Makes an empty repository with the branch `main`.
    pub(crate) fn new() -> Self {
        Self::init(&[])
    }

    /// Makes an empty repository with more arguments for `git init`.
    pub(crate) fn init(arguments: &[&str]) -> Self {
        let sandbox = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        let root = sandbox.path().canonicalize().expect("it was just made");
        let path = root.join("repo");
        std::fs::create_dir(&path).expect("the sandbox is new");
        let repo = TestRepo { sandbox, path, minutes: Rc::default(), variables: Vec::new() };
        repo.git(&[&["init", "--quiet"], arguments].concat());
        repo
    }

    /// Copies this repository into a folder that is there, for [`TestRepo::copy_of`].
    pub(crate) fn keep(&self, folder: &Path) {
        copy(&self.path, &folder.join("repo"));
        std::fs::write(folder.join("minutes"), self.minutes.get().to_string()).expect("writable");
    }

    /// Gives a copy of what [`TestRepo::keep`] put into a folder, with its clock.
    pub(crate) fn copy_of(folder: &Path) -> Self {
        let sandbox = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        let path = sandbox.path().canonicalize().expect("it was just made").join("repo");
        copy(&folder.join("repo"), &path);
        let minutes = std::fs::read_to_string(folder.join("minutes")).expect("it was kept");
        let minutes = Rc::new(Cell::new(minutes.parse().expect("a number was kept")));
        TestRepo { sandbox, path, minutes, variables: Vec::new() }
    }

    /// Gives another repository or folder of the same sandbox, which Git has already made.
    pub(crate) fn beside(&self, name: &str) -> Self {
        TestRepo {
            sandbox: Rc::clone(&self.sandbox),
            path: self.root().join(name),
            minutes: Rc::clone(&self.minutes),
            variables: Vec::new(),
        }
    }

    /// Clones this repository over `file://`, as a server would hand it out.
    pub(crate) fn clone_to(&self, name: &str, arguments: &[&str]) -> Self {
        let url = format!("file://{}", self.path.display());
        let target = self.root().join(name).display().to_string();
        self.git(&[&["clone", "--quiet"], arguments, &[&url, &target]].concat());
        self.beside(name)
    }

    /// Gives the same repository, with one more variable for Git and for orch.
    pub(crate) fn with_variable(&self, name: &str, text: impl Into<OsString>) -> Self {
        let mut repo = self.beside("");
        repo.path.clone_from(&self.path);
        repo.variables.clone_from(&self.variables);
        repo.variables.push((name.into(), text.into()));
        repo
    }

    /// Gives the top of the working tree.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder that holds the repository and its neighbours.
    pub(crate) fn root(&self) -> PathBuf {
        self.sandbox.path().canonicalize().expect("it lives as long as this")
    }

    /// Writes a file, with the folders it needs.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.path.join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("writable");
        std::fs::write(file, text).expect("writable");
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path.join(path)).expect("the file is there");
    }

    /// Runs Git at the top of the repository; it must succeed. Gives what it printed, trimmed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in("", arguments)
    }

    /// Runs Git in a subfolder; it must succeed.
    pub(crate) fn git_in(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs Git with some input; it must succeed. Gives the bytes it printed.
    pub(crate) fn git_bytes(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.run("", arguments, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        output.stdout
    }

    /// Runs Git, whatever comes of it.
    pub(crate) fn try_git(&self, arguments: &[&str]) -> Output {
        self.run("", arguments, b"")
    }

    fn run(&self, folder: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new("git");
        command.args(arguments).env_clear().envs(self.variables());
        command.current_dir(self.path.join(folder));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git is installed");
        let mut stdin = child.stdin.take().expect("it was piped");
        // A command that reads nothing may be gone already.
        let _closed = stdin.write_all(input);
        drop(stdin);
        child.wait_with_output().expect("git ends")
    }

    /// Gives all variables that Git and orch see: none of the developer's but the PATH.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        let date = format!("@{} +0000", START + 60 * self.minutes.get());
        let fixed = [
            ("HOME", self.root().into_os_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            ("GIT_AUTHOR_NAME", "Ada Author".into()),
            ("GIT_AUTHOR_EMAIL", "ada@example.org".into()),
            ("GIT_AUTHOR_DATE", date.clone().into()),
            ("GIT_COMMITTER_NAME", "Carl Committer".into()),
            ("GIT_COMMITTER_EMAIL", "carl@example.org".into()),
            ("GIT_COMMITTER_DATE", date.into()),
            ("GIT_CONFIG_COUNT", "2".into()),
            ("GIT_CONFIG_KEY_0", "init.defaultBranch".into()),
            ("GIT_CONFIG_VALUE_0", "main".into()),
            ("GIT_CONFIG_KEY_1", "protocol.file.allow".into()),
            ("GIT_CONFIG_VALUE_1", "always".into()),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let named = fixed.into_iter().map(|(name, text)| (name.into(), text));
        named.chain([("PATH".into(), path)]).chain(self.variables.clone()).collect()
    }

    /// Lets a minute pass.
    pub(crate) fn tick(&self) {
        self.minutes.set(self.minutes.get() + 1);
    }

    /// Sets the clock, in minutes from its start, for commits whose dates run backwards.
    pub(crate) fn set_minutes(&self, minutes: usize) {
        self.minutes.set(minutes.try_into().expect("a usize fits"));
    }

    /// Stages everything and commits it, also if nothing changed. Gives the commit's hex name.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.commit_staged(message)
    }

    /// Commits what is staged. Gives the commit's hex name.
    pub(crate) fn commit_staged(&self, message: &str) -> String {
        self.tick();
        self.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Gives the object that a revision names.
    pub(crate) fn oid(&self, rev: &str) -> Oid {
        Oid::from_hex(&self.git(&["rev-parse", rev])).expect("Git prints a full name")
    }

    /// Gives the environment that Git would hand a hook here.
    pub(crate) fn environment(&self) -> GitEnvironment {
        GitEnvironment::from_vars(self.variables())
    }

    /// Opens the repository as orch would.
    pub(crate) fn open(&self) -> GitRepository {
        GitRepository::open(&self.path, &self.environment()).expect("a repository")
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} is not copied", from.display());
}
