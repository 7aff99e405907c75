//! What a repository holds, in words that `git fast-import` takes at once; written by nothing of orch but
//! its digests and ids.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use orch::ledger::run_id;
use orch::source::Digest;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::{MISSING, RANGE, STAGED, STRAY, Size, WRONG};

/// The policy that every repository has.
pub(super) const POLICY: &str = include_str!("../../templates/strategy.yaml");
/// Tasks that are done in one month.
const PER_MONTH: usize = 500;
/// Files in one folder.
const PER_FOLDER: usize = 100;
/// Files that the branch to be judged changes.
const CHANGED: usize = 20;
/// Seconds between two records.
const STEP: i64 = 7;

/// What stands on a branch, in words, whose first commit is made by `git fast-import`.
pub(super) struct Writer {
    out: BufWriter<ChildStdin>,
    policy: Digest,
    at: i64,
    /// The agent's key, where handoffs are signed.
    key: Option<PrivateKey>,
}

/// One task, and the records that were written of it so far.
struct Ledger {
    id: String,
    month: String,
    branch: String,
    last: Option<Digest>,
    written: usize,
}

/// What is wrong with a handoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Wrong,
    Missing,
}

/// Tasks that something is wrong with.
const FAULTY: usize = WRONG + MISSING;

/// 2008-01-01: the largest repository ends before today.
const BEGIN: i64 = 1_199_145_600;
const MONTH: i64 = 30 * 24 * 3600;

impl Writer {
    pub(super) fn run(path: &Path, size: Size) {
        let mut command = Command::new("git");
        command.args(["fast-import", "--quiet", "--force"]).current_dir(path);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("git is installed");
        let out = BufWriter::new(child.stdin.take().expect("it was asked for"));
        let policy = match size.signed {
            true => POLICY.replacen("version: 1", "version: 1\nsignatures: {kinds: [handoff]}", 1),
            false => POLICY.to_owned(),
        };
        let key = size.signed.then(|| Ed25519Keypair::from_seed(&[7; 32]).into());
        let policed = Digest::of(policy.as_bytes());
        let mut writer = Writer { out, policy: policed, at: BEGIN, key };
        writer.begin_all(size, &policy);
        for (month, first) in (0..size.handoffs).step_by(PER_MONTH).enumerate() {
            writer.at = BEGIN + i64::try_from(month).expect("few months") * MONTH;
            writer.commit("main", "A month's work", None);
            for task in first..size.handoffs.min(first + PER_MONTH) {
                writer.done(size, task);
            }
        }
        writer.at += MONTH;
        writer.end_all(size);
        writer.out.flush().expect("git reads");
        drop(writer);
        assert!(child.wait().expect("git ends").success(), "git fast-import failed");
    }

    /// The policy, whose key is whose, and the files beside the records.
    fn begin_all(&mut self, size: Size, policy: &str) {
        self.commit("main", "Begin", None);
        self.file(".orch/policy.yaml", policy);
        if let Some(key) = &self.key {
            let public = key.public_key().to_openssh().expect("a key can be written");
            self.file(".orch/allowed_signers", &format!("data_engineer {public}\n"));
        }
        for file in 0..size.files {
            self.file(&plain(file), &format!("row,{file}\n{file},{}\n", file * 7));
        }
    }

    /// One task, from its beginning to its end.
    fn done(&mut self, size: Size, task: usize) {
        let mut ledger = self.open(format!("data-{task:06}"));
        let fault = match (size.faulty, task) {
            (true, ..WRONG) => Fault::Wrong,
            (true, ..FAULTY) => Fault::Missing,
            _ => Fault::None,
        };
        self.begin(&mut ledger, 1);
        self.deliver(&mut ledger, 1, "", fault);
        self.pass(&mut ledger);
        if !size.live {
            self.record(&mut ledger, "close", "close:\n  outcome: completed\n  reason: Done\n");
        }
    }

    /// What is open at the tip of `main`, what a branch adds to it, and what is to be staged.
    fn end_all(&mut self, size: Size) {
        self.commit("main", "What is open", None);
        for task in 0..size.open {
            let mut ledger = self.open(format!("open-{task:05}"));
            self.begin(&mut ledger, 1);
            self.deliver(&mut ledger, 1, "", Fault::None);
        }
        let [mut staged, mut twice] = ["work-staged", "work-range"].map(str::to_owned).map(|id| {
            let mut ledger = self.open(id);
            // While somebody works in a lane, orch lets its files change, and would tell no fault there.
            if !size.faulty {
                self.begin(&mut ledger, 1);
            }
            ledger
        });
        self.commit(RANGE, "Twenty files and two handoffs", Some("main"));
        for file in 0..CHANGED.min(size.files) {
            self.file(&plain(file * 3), "row,changed\n");
        }
        for file in 0..if size.faulty { STRAY } else { 0 } {
            self.file(&format!("strategies/stray-{file}.py"), "# Not a data engineer's\n");
        }
        if size.faulty {
            self.begin(&mut twice, 1);
        }
        self.deliver(&mut twice, 1, "first", Fault::None);
        let rejection = "rejection:\n  handoff: 3\n  reason: format\n  message: Rows are missing\n";
        self.record(&mut twice, "rejection", rejection);
        self.begin(&mut twice, 2);
        self.deliver(&mut twice, 2, "second", Fault::None);
        // What is to be staged lies on a side branch, so that its blobs are there.
        self.commit(STAGED, "One file and one handoff", Some("main"));
        self.file(&plain(1), "row,staged\n");
        if size.faulty {
            self.begin(&mut staged, 1);
        }
        self.deliver(&mut staged, 1, "staged", Fault::None);
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

    fn deliver(&mut self, ledger: &mut Ledger, entered: u32, note: &str, fault: Fault) {
        let (path, text) = artifact(&ledger.id, note);
        match fault {
            Fault::None => self.file(&path, &text),
            Fault::Wrong => self.file(&path, "{}\n"),
            Fault::Missing => {}
        }
        let (id, run) = (&ledger.id, run(&ledger.id, entered));
        let checksum = Digest::of(text.as_bytes());
        let text = format!(
            "handoff:\n  from: data_engineer\n  to: orchestrator\n  task_id: {id}\n  stage: validate\n  \
             run_id: {run}\n  status: complete\n  artifacts:\n    - name: validated_data\n      \
             path: {path}\n      checksum: {checksum}\n  message: validate is ready for orchestrator\n"
        );
        self.record(ledger, "handoff", &text);
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
        if let Some(key) = self.key.as_ref().filter(|_| kind == "handoff") {
            let signature =
                key.sign("orch", HashAlg::Sha512, text.as_bytes()).expect("it can sign");
            let signature = signature.to_pem(LineEnding::LF).expect("a signature can be written");
            self.file(&format!("{path}.sig"), &signature);
        }
    }
}

/// Where a file beside the records lies, and so in which lane.
fn plain(file: usize) -> String {
    format!("data/raw/d{:04}/f{file:06}.csv", file / PER_FOLDER)
}

/// What is handed over, and where it lies. Each has its own file: a script that knows no rejections would
/// take what came later for a fault.
fn artifact(id: &str, note: &str) -> (String, String) {
    let separator = if note.is_empty() { "" } else { "-" };
    (
        format!("data/manifests/{id}{separator}{note}.json"),
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
