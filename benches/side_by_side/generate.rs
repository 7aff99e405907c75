//! Repositories in orch's own format, of any size, the same bytes every time; written by one
//! `git fast-import`, by nothing of orch but its digests and ids.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use orch::ledger::run_id;
use orch::source::Digest;

/// How large a repository is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Files beside the records.
    pub(crate) files: usize,
    /// Tasks that are done, each with one handoff in five records, spread over months.
    pub(crate) handoffs: usize,
    /// Tasks that are open, with a handoff that waits for its gate.
    pub(crate) open: usize,
}

impl Size {
    /// Gives the name of its folder.
    fn name(&self) -> String {
        format!("f{}_h{}_o{}", self.files, self.handoffs, self.open)
    }
}

/// Tasks that are done in one month.
const PER_MONTH: usize = 500;
/// Files in one folder.
const PER_FOLDER: usize = 100;
/// Files that the branch to be judged changes.
const CHANGED: usize = 20;
/// Seconds between two records.
const STEP: i64 = 7;

/// A repository, and what it holds for the rows.
pub(crate) struct Repo {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// An index in which one file and one handoff are staged.
    pub(crate) staged: PathBuf,
}

/// Gives the repository of a size, written anew if it is not there yet.
pub(crate) fn repository(shelf: &Path, size: Size) -> Repo {
    let path = shelf.join(size.name());
    let done = path.join(".git/generated");
    if !done.exists() {
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).expect("a folder can be made");
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "Ada Author"), ("user.email", "ada@example.org")] {
            git(&path, &["config", key, value]);
        }
        Writer::run(&path, size);
        git(&path, &["-c", "gc.writeCommitGraph=true", "gc", "--quiet"]);
        stage(&path);
        fs::write(done, "").expect("a file can be written");
    }
    let staged = path.join(".git/index-staged");
    Repo { path, staged }
}

/// Runs Git; it must succeed. Gives what it printed.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git prints text").trim().to_owned()
}

/// What stands on a branch, in words, whose first commit is made by `git fast-import`.
struct Writer {
    out: BufWriter<ChildStdin>,
    policy: Digest,
    at: i64,
}

/// One task, and the records that were written of it so far.
struct Ledger {
    id: String,
    month: String,
    branch: String,
    last: Option<Digest>,
    written: usize,
}

/// 2008-01-01: the largest repository ends before today.
const BEGIN: i64 = 1_199_145_600;
const MONTH: i64 = 30 * 24 * 3600;

impl Writer {
    fn run(path: &Path, size: Size) {
        let mut command = Command::new("git");
        command.args(["fast-import", "--quiet", "--force"]).current_dir(path);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("git is installed");
        let policy = include_str!("../../templates/strategy.yaml");
        let out = BufWriter::new(child.stdin.take().expect("it was asked for"));
        let mut writer = Writer { out, policy: Digest::of(policy.as_bytes()), at: BEGIN };
        writer.commit("main", "Begin", None);
        writer.file(".orch/policy.yaml", policy);
        for file in 0..size.files {
            writer.file(&plain(file), &format!("row,{file}\n{file},{}\n", file * 7));
        }
        for (month, first) in (0..size.handoffs).step_by(PER_MONTH).enumerate() {
            writer.at = BEGIN + i64::try_from(month).expect("few months") * MONTH;
            writer.commit("main", "A month's work", None);
            for task in first..size.handoffs.min(first + PER_MONTH) {
                let mut ledger = writer.open(format!("data-{task:06}"));
                writer.hand_over(&mut ledger, "");
                writer.pass(&mut ledger);
                writer.record(
                    &mut ledger,
                    "close",
                    "close:\n  outcome: completed\n  reason: Done\n",
                );
            }
        }
        writer.at += MONTH;
        writer.commit("main", "What is open", None);
        for task in 0..size.open {
            let mut ledger = writer.open(format!("open-{task:05}"));
            writer.hand_over(&mut ledger, "");
        }
        let [mut staged, mut twice] = ["work-staged", "work-range"].map(str::to_owned).map(|id| {
            let mut ledger = writer.open(id);
            writer.begin(&mut ledger, 1);
            ledger
        });
        writer.commit("feature/work-range-validate", "Twenty files and two handoffs", Some("main"));
        for file in 0..CHANGED.min(size.files) {
            writer.file(&plain(file * 3), "row,changed\n");
        }
        writer.deliver(&mut twice, 1, "first");
        let rejection = "rejection:\n  handoff: 3\n  reason: format\n  message: Rows are missing\n";
        writer.record(&mut twice, "rejection", rejection);
        writer.begin(&mut twice, 2);
        writer.deliver(&mut twice, 2, "second");
        // What is to be staged lies on a side branch, so that its blobs are there.
        writer.commit("feature/work-staged-validate", "One file and one handoff", Some("main"));
        writer.file(&plain(1), "row,staged\n");
        writer.deliver(&mut staged, 1, "staged");
        writer.out.flush().expect("git reads");
        drop(writer);
        assert!(child.wait().expect("git ends").success(), "git fast-import failed");
    }

    fn commit(&mut self, branch: &str, message: &str, from: Option<&str>) {
        let (at, length) = (self.at, message.len());
        let who = format!("Ada Author <ada@example.org> {at} +0000");
        self.put(&format!(
            "commit refs/heads/{branch}\ncommitter {who}\ndata {length}\n{message}\n"
        ));
        if let Some(from) = from {
            self.put(&format!("from refs/heads/{from}\n"));
        }
    }

    fn file(&mut self, path: &str, text: &str) {
        self.put(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()));
    }

    fn put(&mut self, text: &str) {
        self.out.write_all(text.as_bytes()).expect("git reads");
    }

    fn open(&mut self, id: String) -> Ledger {
        let branch = format!("feature/{id}-validate");
        let mut ledger =
            Ledger { month: moment(self.at)[..7].to_owned(), branch, id, last: None, written: 0 };
        let id = &ledger.id;
        let text = format!(
            "task:\n  task_id: {id}\n  title: Prices of {id}\n  workflow: data_refresh\n  requestor: orchestrator\n"
        );
        self.record(&mut ledger, "task", &text);
        ledger
    }

    fn begin(&mut self, ledger: &mut Ledger, entered: u32) {
        let run = run(&ledger.id, entered);
        let text = format!(
            "run:\n  stage: validate\n  run_id: {run}\n  attempt: 1\n  agent: data_engineer\n  lane: A\n  \
             branch: {}\n  status: in_progress\n",
            ledger.branch
        );
        self.record(ledger, "run", &text);
    }

    fn deliver(&mut self, ledger: &mut Ledger, entered: u32, note: &str) {
        let (path, text) = artifact(&ledger.id, note);
        self.file(&path, &text);
        let (id, run) = (&ledger.id, run(&ledger.id, entered));
        let checksum = Digest::of(text.as_bytes());
        let text = format!(
            "handoff:\n  from: data_engineer\n  to: orchestrator\n  task_id: {id}\n  stage: validate\n  \
             run_id: {run}\n  status: complete\n  artifacts:\n    - name: validated_data\n      \
             path: {path}\n      checksum: {checksum}\n  message: validate is ready for orchestrator\n"
        );
        self.record(ledger, "handoff", &text);
    }

    fn hand_over(&mut self, ledger: &mut Ledger, note: &str) {
        self.begin(ledger, 1);
        self.deliver(ledger, 1, note);
    }

    fn pass(&mut self, ledger: &mut Ledger) {
        let (path, text) = artifact(&ledger.id, "");
        let (run, checksum) = (run(&ledger.id, 1), Digest::of(text.as_bytes()));
        let text = format!(
            "gate:\n  stage: validate\n  run_id: {run}\n  verdict: pass\n  evaluated_by: orchestrator\n  \
             evidence:\n    - name: validated_data\n      path: {path}\n      checksum: {checksum}\n"
        );
        self.record(ledger, "gate", &text);
    }

    /// Writes the next record of a ledger, with its envelope.
    fn record(&mut self, ledger: &mut Ledger, kind: &str, payload: &str) {
        self.at += STEP;
        ledger.written += 1;
        let agent = matches!(kind, "run" | "handoff");
        let actor = if agent { "data_engineer" } else { "orchestrator" };
        let mut text = format!("{payload}entry:\n  sequence: {}\n", ledger.written);
        if let Some(last) = &ledger.last {
            writeln!(text, "  previous: {last}").expect("text grows");
        }
        let branch = if agent || kind == "gate" { &ledger.branch } else { "main" };
        write!(
            text,
            "  recorded_at: \"{}\"\n  actor: {actor}\n  session: session-of-{actor}\n  branch: {branch}\n  \
             policy: {}\n",
            moment(self.at),
            self.policy
        )
        .expect("text grows");
        ledger.last = Some(Digest::of(text.as_bytes()));
        let (month, id, sequence) = (&ledger.month, &ledger.id, ledger.written);
        let path = format!(".orch/tasks/{month}/{id}/{sequence:04}-{kind}.yaml");
        self.file(&path, &text);
    }
}

/// Where a file beside the records lies, and so in which lane.
fn plain(file: usize) -> String {
    format!("data/raw/d{:04}/f{file:06}.csv", file / PER_FOLDER)
}

fn artifact(id: &str, note: &str) -> (String, String) {
    (
        format!("data/manifests/{id}.json"),
        format!("{{\"task\": \"{id}\", \"note\": \"{note}\", \"rows\": 12345}}\n"),
    )
}

fn run(id: &str, entered: u32) -> String {
    let (id, stage) = (id.parse().expect("an id"), "validate".parse().expect("a name"));
    run_id(&id, &stage, &[], entered).to_string()
}

fn moment(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp(at, 0).expect("a moment of this century");
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Stands on the branch of the staged work, with its change in the index and not in a commit.
fn stage(path: &Path) {
    let branch = "feature/work-staged-validate";
    let tree = git(path, &["rev-parse", &format!("{branch}^{{tree}}")]);
    let changed = git(path, &["diff-tree", "-r", "main", &tree]);
    git(path, &["update-ref", &format!("refs/heads/{branch}"), "main"]);
    git(path, &["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
    git(path, &["read-tree", "main"]);
    let lines: BTreeMap<&str, &str> = changed
        .lines()
        .filter_map(|line| {
            let (modes, file) = line.split_once('\t')?;
            Some((file, modes.split(' ').nth(3)?))
        })
        .collect();
    for (file, blob) in lines {
        git(path, &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{file}")]);
    }
    fs::copy(path.join(".git/index"), path.join(".git/index-staged"))
        .expect("an index can be copied");
}
