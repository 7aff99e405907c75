//! A team that works through the real orch, with real hooks, in a throwaway repository.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::TestRepo;

/// The program under test.
pub(crate) const ORCH: &str = env!("CARGO_BIN_EXE_orch");

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Said {
    /// Takes what a process left behind.
    pub(crate) fn from(output: &Output) -> Self {
        Said {
            code: output.status.code().expect("nobody kills it"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Gives the names of the checks that the pictures on standard error are headed with.
    pub(crate) fn checks(&self) -> Vec<&str> {
        let headings = self.err.lines().filter_map(|line| line.strip_prefix("error["));
        headings.filter_map(|rest| Some(rest.split_once(']')?.0)).collect()
    }

    /// Asserts that orch could not look, exit code 2, and said what to do.
    pub(crate) fn fault(&self) -> &str {
        assert_eq!(self.code, 2, "{self:#?}");
        assert!(self.err.contains("help: "), "{self:#?}");
        &self.err
    }

    /// Asserts that the command itself refused, exit code 1, and said what to do.
    pub(crate) fn denied(&self) -> &str {
        assert_eq!(self.code, 1, "{self:#?}");
        assert!(self.err.starts_with("error[refused]") && self.err.contains("help: "), "{self:#?}");
        &self.err
    }

    /// Parses standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A finding, as far as tests look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The check's name.
    pub(crate) check: String,
    /// The file.
    pub(crate) path: String,
    /// The line, if it points into the file.
    pub(crate) line: Option<u64>,
    /// The column, likewise.
    pub(crate) column: Option<u64>,
}

/// What the guard said in JSON.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The exit code.
    pub(crate) code: i32,
    /// Errors, in order.
    pub(crate) errors: Vec<Found>,
    /// The whole object.
    pub(crate) json: Value,
}

impl Judged {
    /// Reads what `--format json` printed.
    pub(crate) fn from(said: &Said) -> Self {
        let json = said.json();
        let text = |found: &Value, field: &str| found[field].as_str().unwrap_or("").to_owned();
        let all = json["findings"].as_array().expect("findings are a list").iter();
        let errors = all.filter(|found| found["severity"] == "error").map(|found| Found {
            check: text(found, "check"),
            path: text(found, "path"),
            line: found["line"].as_u64(),
            column: found["column"].as_u64(),
        });
        Judged { code: said.code, errors: errors.collect(), json }
    }

    /// Asserts that nothing is refused.
    pub(crate) fn passed(&self) {
        assert_eq!(self.code, 0, "{:#?}", self.json);
        assert_eq!((self.json["verdict"].as_str(), self.errors.len()), (Some("pass"), 0));
    }

    /// Asserts a refusal by this check; gives its first finding.
    pub(crate) fn refused_by(&self, check: &str) -> &Found {
        assert_eq!((self.code, self.json["verdict"].as_str()), (1, Some("fail")), "{self:#?}");
        let found = self.errors.iter().find(|found| found.check == check);
        found.unwrap_or_else(|| panic!("{check} is missing: {:#?}", self.json))
    }
}

/// A repository in which a team works.
pub(crate) struct Team {
    /// The repository.
    pub(crate) repo: TestRepo,
}

impl Team {
    /// Takes a repository as it is.
    pub(crate) fn over(repo: TestRepo) -> Self {
        Team { repo }
    }

    /// Begins with the strategy template and the hooks, committed on `main`.
    pub(crate) fn new() -> Self {
        let team = Team::over(TestRepo::new());
        team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
        team.commit("Begin with orch");
        team
    }

    /// Begins likewise, with changes of the template's policy, each from and to.
    pub(crate) fn with_policy(changes: &[(&str, &str)]) -> Self {
        let team = Team::over(TestRepo::new());
        team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
        for (from, to) in changes {
            team.edit(".orch/policy.yaml", from, to);
        }
        team.repo.git(&["add", ".orch/policy.yaml"]);
        team.commit("Begin with orch");
        team
    }

    /// Clones this team's repository over `file://`; the clone has no hooks.
    pub(crate) fn clone_to(&self, name: &str) -> Self {
        Team::over(self.repo.clone_to(name, &[]))
    }

    /// Gives what runs the real orch as someone, in the context `session`.
    pub(crate) fn command(&self, agent: &str, session: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(ORCH);
        command.args(arguments).current_dir(self.repo.path()).env_clear();
        command.envs(self.repo.variables()).stdin(Stdio::null());
        if !agent.is_empty() {
            command.env("ORCH_AGENT", agent).env("ORCH_SESSION", session);
        }
        command
    }

    /// Runs orch as someone, in a session of their own, whatever comes of it.
    pub(crate) fn try_orch(&self, agent: &str, arguments: &[&str]) -> Said {
        let session = format!("session-of-{agent}");
        let output = self.command(agent, &session, arguments).output();
        Said::from(&output.expect("orch was built"))
    }

    /// Runs orch as someone; it must succeed. Gives what it printed.
    pub(crate) fn orch(&self, agent: &str, arguments: &[&str]) -> String {
        let said = self.try_orch(agent, arguments);
        assert_eq!(said.code, 0, "orch {arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    /// Runs a command that prints JSON, and parses it.
    pub(crate) fn json(&self, agent: &str, arguments: &[&str]) -> Value {
        let said = self.try_orch(agent, &[arguments, &["--format", "json"]].concat());
        assert_eq!(said.code, 0, "{arguments:?}: {said:#?}");
        said.json()
    }

    /// Runs `orch guard` with some flags, in JSON. Exit code 2 has no verdict and fails the test.
    pub(crate) fn guard(&self, flags: &[&str]) -> Judged {
        let said = self.try_orch("", &[&["guard", "--format", "json"], flags].concat());
        Judged::from(&said)
    }

    /// Runs `orch verify`, in JSON.
    pub(crate) fn verify(&self) -> Judged {
        Judged::from(&self.try_orch("", &["verify", "--format", "json"]))
    }

    /// Commits what is staged through the hooks, which must let it pass.
    pub(crate) fn commit(&self, message: &str) {
        self.repo.tick();
        self.repo.git(&["commit", "--quiet", "-m", message]);
    }

    /// Stages everything and commits it past the hooks.
    pub(crate) fn smuggle(&self, message: &str) {
        self.repo.commit(message);
    }

    /// Runs Git, whatever comes of it.
    pub(crate) fn try_git(&self, arguments: &[&str]) -> Said {
        Said::from(&self.repo.try_git(arguments))
    }

    /// Runs Git; a hook must refuse it by this check, and HEAD must stay where it is.
    pub(crate) fn git_refused(&self, arguments: &[&str], check: &str) -> Said {
        let before = self.repo.git(&["rev-parse", "HEAD"]);
        let said = Said::from(&self.repo.try_git(arguments));
        assert_ne!(said.code, 0, "git {arguments:?} passed: {said:#?}");
        assert!(said.checks().contains(&check), "{check} is missing: {said:#?}");
        assert_eq!(self.repo.git(&["rev-parse", "HEAD"]), before);
        said
    }

    /// Merges a branch into `main` through the hooks, and stays there.
    pub(crate) fn merge(&self, branch: &str) {
        self.repo.git(&["switch", "--quiet", "main"]);
        self.repo.tick();
        self.repo.git(&["merge", "--quiet", "--no-ff", "-m", "Merge", branch]);
    }

    /// Gives the path of a task's last staged record of a kind.
    pub(crate) fn record(&self, task: &str, kind: &str) -> String {
        let listed = self.repo.git(&["ls-files", &format!(".orch/tasks/*/{task}/*-{kind}.yaml")]);
        listed.lines().last().unwrap_or_else(|| panic!("{task} has no {kind}")).to_owned()
    }

    /// Gives all staged records of tasks.
    pub(crate) fn records(&self) -> Vec<String> {
        let listed = self.repo.git(&["ls-files", ".orch/tasks"]);
        listed.lines().map(str::to_owned).collect()
    }

    /// Reads a file of the working tree.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.repo.path().join(path)).expect("the file is there")
    }

    /// Changes a file of the working tree; `from` must be in it.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
        self.repo.write(path, text.replacen(from, to, 1));
    }

    /// Gives the line and the column, from 1, at which a text first stands in a file.
    pub(crate) fn place_of(&self, path: &str, needle: &str) -> (Option<u64>, Option<u64>) {
        let text = self.read(path);
        let at = text.find(needle).unwrap_or_else(|| panic!("{path} has no {needle:?}"));
        let line = text[..at].matches('\n').count() + 1;
        let column = at - text[..at].rfind('\n').map_or(0, |end| end + 1) + 1;
        (u64::try_from(line).ok(), u64::try_from(column).ok())
    }

    /// Gives the digest of a file's bytes, as records spell it.
    pub(crate) fn digest(&self, path: &str) -> String {
        let bytes = std::fs::read(self.repo.path().join(path)).expect("the file is there");
        orch::source::Digest::of(&bytes).to_string()
    }

    /// Gives the same repository with one more variable for Git, its hooks and orch.
    pub(crate) fn with_variable(&self, name: &str, text: impl Into<OsString>) -> Self {
        Team::over(self.repo.with_variable(name, text))
    }

    /// Types lines into a shell of the repository, as an agent, with orch in its path; fails unless all of them succeed.
    pub(crate) fn type_in(&self, agent: &str, lines: &str) {
        let orch = Path::new(env!("CARGO_BIN_EXE_orch")).parent().expect("a folder");
        let path = format!("{}:{}", orch.display(), std::env::var("PATH").expect("a path"));
        let lines = format!("set -e\nexport PATH='{path}' ORCH_AGENT={agent}\n{lines}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &lines]).current_dir(self.repo.path()).env_clear();
        let said = shell.envs(self.repo.variables()).output().expect("there is a shell");
        assert!(said.status.success(), "{lines}\n{said:#?}");
    }

    /// Gives everything that stands in the working tree and the index, to compare before and after.
    pub(crate) fn state(&self) -> String {
        let status = self.repo.git(&["status", "--porcelain", "--untracked-files=all"]);
        let staged = self.repo.git(&["ls-files", "--stage"]);
        let head = self.repo.git(&["symbolic-ref", "HEAD"]);
        let branches = self.repo.git(&["for-each-ref"]);
        let log = self.repo.path().join("logs/agent_activity.log");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        [status, staged, head, branches, log].join("\n--\n")
    }
}

/// Puts a program where a hook would be.
pub(crate) fn write_script(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("writable");
    std::fs::write(file, text).expect("writable");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("ours");
}
