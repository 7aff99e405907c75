//! What the rows share: where things are, what is wanted, and what was found.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::result::{CLAIMS, Row, TIMES};
use super::support::{Repo, Size, git, repository};

/// The program under test.
pub(crate) const ORCH: &str = env!("CARGO_BIN_EXE_orch");
/// This package's folder.
pub(crate) const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The repositories: what they are called (entries of their index), and their size.
pub(crate) const SIZES: [(&str, Size); 7] = [
    ("19k", Size::of(13_000, 1_000)),
    ("26k", Size::of(20_000, 1_000)),
    ("61k", Size::of(1_000, 10_000)),
    ("73k", Size::of(13_000, 10_000)),
    ("116k", Size::of(56_000, 10_000)),
    ("516k", Size::of(456_000, 10_000)),
    ("613k", Size::of(13_000, 100_000)),
];

/// Gives a size by its name.
pub(crate) fn size(name: &str) -> Size {
    SIZES.iter().find(|(known, _)| *known == name).expect("a size of the list").1
}

/// Gives the repository whose tasks are not closed: only in such do orch, scripts and the yardstick all
/// read every artifact.
pub(crate) const fn live(files: usize, handoffs: usize) -> Size {
    Size { live: true, ..Size::of(files, handoffs) }
}

/// One run of the bench.
pub(crate) struct Bench {
    /// Where repositories are kept, below `target`.
    pub(crate) shelf: PathBuf,
    words: Vec<String>,
    /// What was measured so far.
    pub(crate) rows: Vec<Row>,
}

impl Bench {
    /// Begins a run of the rows whose names hold one of the words; of all without any.
    pub(crate) fn new(shelf: PathBuf, words: Vec<String>) -> Self {
        assert!(!shelf.display().to_string().contains(' '), "a path with blanks: {shelf:?}");
        fs::create_dir_all(&shelf).expect("a folder can be made");
        Bench { shelf, words, rows: Vec::new() }
    }

    /// Tells whether a row is wanted.
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| row.contains(word.as_str()))
    }

    /// Gives the repository of a size.
    pub(crate) fn repository(&self, size: Size) -> Repo {
        repository(&self.shelf, size)
    }

    /// Takes a row, and tells it at once: a run takes long.
    pub(crate) fn tell(&mut self, row: Row) {
        print!("{}", row.times());
        row.claims().for_each(|(_, claim)| print!("{claim}"));
        if !row.note.is_empty() {
            println!("{}: {}", row.name, row.note);
        }
        self.rows.push(row);
    }

    /// Gives all that was measured, as Markdown.
    pub(crate) fn tables(&self) -> String {
        let mut claims: Vec<(u8, String)> = self.rows.iter().flat_map(Row::claims).collect();
        claims.sort_by_key(|(target, _)| *target);
        let claims: String = claims.into_iter().map(|(_, claim)| claim).collect();
        let times: String = self.rows.iter().map(Row::times).collect();
        let notes = self.rows.iter().filter(|row| !row.note.is_empty());
        let notes: String = notes.map(|row| format!("- {}: {}\n", row.name, row.note)).collect();
        format!("{CLAIMS}{claims}\n{notes}\n{TIMES}{times}")
    }

    /// Gives the path of another's program: in the venv that `ORCH_BENCH_VENV` names, or on `PATH`.
    pub(crate) fn peer(&self, program: &str) -> Option<PathBuf> {
        let venv = env::var_os("ORCH_BENCH_VENV").map(|venv| Path::new(&venv).join("bin"));
        let path = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = venv.into_iter().chain(env::split_paths(&path)).collect();
        folders.iter().map(|folder| folder.join(program)).find(|program| program.is_file())
    }

    /// Gives a Python that has a module.
    pub(crate) fn python(&self, module: &str) -> Option<PathBuf> {
        let python = self.peer("python3")?;
        let status = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        status.is_ok_and(|output| output.status.success()).then_some(python)
    }

    /// Gives the script that people write, with its arguments; none where Python has no PyYAML.
    pub(crate) fn script(&self, arguments: &str) -> Option<String> {
        let python = self.python("yaml")?;
        let script = Path::new(PACKAGE).join("benches/peers/baseline_guard.py");
        Some(format!("{} {} {arguments}", python.display(), script.display()))
    }

    /// Gives a checkout of a repository on a branch of its own, with one file staged that is everybody's.
    pub(crate) fn checkout(&self, repo: &Repo) -> PathBuf {
        let folder = PathBuf::from(format!("{}.checkout", repo.path.display()));
        let head = repo.path.join(".git/checked-out");
        if !head.exists() {
            drop(fs::remove_dir_all(&folder));
            git(&repo.path, &["worktree", "prune"]);
            let path = folder.display().to_string();
            let branch = "feature/open-00001-look";
            git(&repo.path, &["worktree", "add", "--quiet", "-B", branch, &path, "main"]);
            fs::write(folder.join("README.md"), "Read me\n").expect("a file can be written");
            git(&folder, &["add", "README.md"]);
            fs::write(head, "").expect("a file can be written");
        }
        folder
    }
}
