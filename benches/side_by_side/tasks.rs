//! Lists of tasks, beside the task tools that people install from a registry.
//!
//! A tool takes part that is found on the PATH, or in folders that `TASK_TOOLS` names as a PATH does.
//! Its store is written in its own format, with the same titles and the same share that is open, and is
//! committed where it keeps it in Git.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::bench::{Bench, ORCH};
use super::result::Row;
use super::support::{Size, git};
use super::timing::Contender;

/// Sizes by their tasks, one in ten of which is open.
const SIZES: [(&str, Size); 2] = [
    ("1k", Size { open: 100, ..Size::of(100, 900) }),
    ("10k", Size { open: 1_000, ..Size::of(100, 9_000) }),
];

/// What is asked: its name, and what orch calls it.
const ASKED: [(&str, &str); 4] = [
    ("open", "task list"),
    ("all", "task list --all"),
    ("next", "next --all"),
    ("status", "status"),
];

/// A tool whose store is written and asked.
struct Peer {
    name: &'static str,
    command: &'static str,
    /// What is typed for each of [`ASKED`].
    asks: [&'static str; 4],
    write: fn(&Path, Size),
    /// What makes its caches as they are in a fresh clone; empty where it has none.
    forget: &'static str,
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "beads_rust",
        command: "br",
        asks: ["list --limit 0", "list --all --limit 0", "ready --limit 0", "stats"],
        write: beads,
        forget: "git clean -fdXq .beads",
    },
    Peer {
        name: "seeds-cli",
        command: "sd",
        asks: ["list --limit 100000", "list --all --limit 100000", "ready --limit 100000", "stats"],
        write: seeds,
        forget: "",
    },
    Peer {
        name: "backlog.md",
        command: "backlog",
        asks: [
            "task list --exclude-status Done --plain",
            "task list --plain",
            "task list --ready --exclude-status Done --plain",
            "overview",
        ],
        write: backlog,
        forget: "",
    },
    Peer {
        name: "get-tbd",
        command: "tbd",
        asks: ["list", "list --all", "ready", "stats"],
        write: tbd,
        forget: "",
    },
];

/// Beyond the ten targets: faster than each tool of the same kind, `tasks open 1k` and so on.
pub(crate) fn rows(bench: &mut Bench) {
    for (name, size) in SIZES {
        let names = ASKED.map(|(asked, _)| format!("tasks {asked} {name}"));
        if !names.iter().any(|row| bench.wants(row)) {
            continue;
        }
        let own = bench.repository(size).path;
        let (here, lacking): (Vec<&Peer>, Vec<&Peer>) =
            PEERS.iter().partition(|peer| found(peer.command));
        let lacking: Vec<&str> = lacking.iter().map(|peer| peer.name).collect();
        let stores: Vec<(&Peer, PathBuf)> =
            here.into_iter().map(|peer| (peer, store(&bench.shelf, peer, name, size))).collect();
        for (at, row) in names.iter().enumerate() {
            if !bench.wants(row) {
                continue;
            }
            let mut contenders = ours(at).to_vec();
            for (peer, folder) in &stores {
                contenders.push(asked(at, peer, folder));
                if !peer.forget.is_empty() && name == "1k" {
                    let cold = Contender { before: peer.forget.into(), ..asked(at, peer, folder) };
                    contenders.push(Contender { name: fresh(peer), ..cold });
                }
            }
            let mut row = Row::race(row, &own, &contenders);
            for (peer, _) in &stores {
                row.at_most(11, WARM, peer.name, 1.0);
                row.at_most(11, COLD, peer.name, 1.0);
                if contenders.iter().any(|contender| contender.name == fresh(peer)) {
                    row.at_most(11, COLD, &fresh(peer), 1.0);
                }
            }
            if !lacking.is_empty() {
                row.note = format!("not installed: {}", lacking.join(", "));
            }
            bench.tell(row);
        }
    }
}

/// What a tool is called where it starts without its caches.
fn fresh(peer: &Peer) -> String {
    format!("{}, fresh clone", peer.name)
}

const WARM: &str = "orch, warm";
const COLD: &str = "orch, cold";

fn ours(at: usize) -> [Contender; 2] {
    let script = format!("{ORCH} {}", ASKED[at].1);
    [Contender::new(WARM, script.clone()), Contender::new(COLD, script).cold()]
}

/// What a tool is asked, in the repository that holds its store.
fn asked(at: usize, peer: &Peer, folder: &Path) -> Contender {
    let program = place(peer.command).unwrap_or_default();
    let script =
        format!("NO_COLOR=1 PATH={} {} {}", search_path(), program.display(), peer.asks[at]);
    Contender::new(peer.name, script).within(folder)
}

fn search_path() -> String {
    let known = std::env::var("PATH").unwrap_or_default();
    std::env::var("TASK_TOOLS").map_or(known.clone(), |named| format!("{named}:{known}"))
}

fn found(command: &str) -> bool {
    place(command).is_some()
}

fn place(command: &str) -> Option<PathBuf> {
    let path = search_path();
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join(command));
    programs.find(|program| program.is_file())
}

/// Gives the repository that holds a tool's store, written anew if it is not there yet.
fn store(shelf: &Path, peer: &Peer, name: &str, size: Size) -> PathBuf {
    let folder = shelf.join(format!("{}-{name}", peer.command));
    if !folder.join(".git/written").exists() {
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder can be made");
        git(&folder, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "Ada Author"), ("user.email", "ada@example.org")] {
            git(&folder, &["config", key, value]);
        }
        git(&folder, &["commit", "--quiet", "--allow-empty", "--message", "Begin"]);
        (peer.write)(&folder, size);
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message", "Tasks"]);
        fs::write(folder.join(".git/written"), "").expect("a file can be written");
    }
    folder
}

/// Every task: its number, its id in orch's repository, and whether it is open.
fn tasks(size: Size) -> impl Iterator<Item = (usize, String, bool)> {
    let done = (0..size.handoffs).map(|task| (task, format!("data-{task:06}"), false));
    let open =
        (0..size.open).map(move |task| (size.handoffs + task, format!("open-{task:05}"), true));
    done.chain(open)
}

/// Runs a tool; it must succeed.
fn run(folder: &Path, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder).env("PATH", search_path());
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(status.expect("there is a shell").success(), "{script}");
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

fn beads(folder: &Path, size: Size) {
    run(folder, "br init --prefix data");
    let mut lines = String::new();
    for (task, id, open) in tasks(size) {
        let (status, end) = match open {
            true => ("open", ""),
            false => ("closed", r#","closed_at":"2026-11-02T00:00:00Z","close_reason":"Done""#),
        };
        writeln!(
            lines,
            r#"{{"id":"data-{task}","title":"Prices of {id}","status":"{status}","priority":2,"issue_type":"task","created_at":"2026-11-01T00:00:00Z","updated_at":"2026-11-02T00:00:00Z"{end}}}"#
        )
        .expect("text grows");
    }
    write(&folder.join(".beads/issues.jsonl"), lines);
    run(folder, "br sync --import-only");
}

fn seeds(folder: &Path, size: Size) {
    run(folder, "sd init");
    let mut lines = String::new();
    for (task, id, open) in tasks(size) {
        let (status, end) = match open {
            true => ("open", ""),
            false => ("closed", r#","closedAt":"2026-11-02T00:00:00.000Z","closeReason":"Done""#),
        };
        writeln!(
            lines,
            r#"{{"id":"data-{task:04x}","title":"Prices of {id}","status":"{status}","type":"task","priority":2,"createdAt":"2026-11-01T00:00:00.000Z","updatedAt":"2026-11-02T00:00:00.000Z"{end}}}"#
        )
        .expect("text grows");
    }
    write(&folder.join(".seeds/issues.jsonl"), lines);
}

fn backlog(folder: &Path, size: Size) {
    run(folder, "backlog init data --defaults --integration-mode none");
    for (task, id, open) in tasks(size) {
        let number = task + 1;
        let status = if open { "To Do" } else { "Done" };
        let text = format!(
            "---\nid: TASK-{number}\ntitle: Prices of {id}\nstatus: {status}\nassignee: []\n\
             created_date: '2026-11-01 00:00'\nlabels: []\ndependencies: []\nordinal: {number}000\n---\n"
        );
        let name = format!("backlog/tasks/task-{number} - Prices-of-{id}.md");
        write(&folder.join(name), text);
    }
}

fn tbd(folder: &Path, size: Size) {
    run(folder, "tbd init --prefix=data");
    let data = folder.join(".git/tbd/data-sync-worktree/.tbd/data-sync");
    let mut short = String::new();
    for (task, id, open) in tasks(size) {
        let long = format!("01m7zzzcpr26sa2ng5b9{task:06}");
        let end = "closed_at: 2026-11-02T00:00:00.000Z\nclose_reason: Done\n";
        let (status, end) = if open { ("open", "") } else { ("closed", end) };
        let text = format!(
            "---\ntype: is\nid: is-{long}\ntitle: Prices of {id}\nkind: task\nstatus: {status}\n\
             priority: 2\nversion: 2\nlabels: []\ndependencies: []\n\
             created_at: 2026-11-01T00:00:00.000Z\nupdated_at: 2026-11-02T00:00:00.000Z\n{end}---\n"
        );
        write(&data.join(format!("issues/is-{long}.md")), text);
        let name = format!("t{task:04x}");
        writeln!(short, "{name}: {long}").expect("text grows");
    }
    write(&data.join("mappings/ids.yml"), short);
    let work = folder.join(".git/tbd/data-sync-worktree");
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "--no-verify", "--message", "Tasks"]);
}
