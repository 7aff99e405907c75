//! A runner of GitHub: a checkout of its own, the action's variables, and what it keeps of a step.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{ORCH, Said, Team, TestRepo};

/// The branch on which a handoff is sealed.
pub(super) const BRANCH: &str = "feature/strat-001-strategy";
/// What Git says where there is no commit.
pub(super) const ZERO: &str = "0000000000000000000000000000000000000000";

/// The folder of the action.
pub(super) fn action() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/actions/transition-guard")
}

/// A server that a team pushes to.
pub(super) struct Server {
    pub(super) team: Team,
    pub(super) repo: TestRepo,
}

impl Server {
    /// Begins with a policy on `main`, here and at the server.
    pub(super) fn new() -> Self {
        Server::of(Team::new())
    }

    /// Begins with what a team has.
    pub(super) fn of(team: Team) -> Self {
        let repo = team.repo.beside("server.git");
        let path = repo.path().display().to_string();
        team.repo.git(&["init", "--quiet", "--bare", &path]);
        team.repo.git(&["remote", "add", "origin", &format!("file://{path}")]);
        let server = Server { team, repo };
        server.push("main", "main");
        server
    }

    /// Pushes a commit to a branch, past the hooks.
    pub(super) fn push(&self, commit: &str, branch: &str) {
        let refs = format!("+{commit}:refs/heads/{branch}");
        self.team.repo.git(&["push", "--quiet", "--no-verify", "origin", &refs]);
    }

    /// Gives a commit's whole name.
    pub(super) fn commit(&self, rev: &str) -> String {
        self.team.repo.git(&["rev-parse", rev])
    }

    /// Opens a pull request as GitHub does: its head and its merge into `main` are refs of the server.
    pub(super) fn pull_request(&self, branch: &str) -> Event {
        let repo = &self.team.repo;
        let (base, head) = (self.commit("main"), self.commit(branch));
        let tree = repo.git(&["rev-parse", &format!("{branch}^{{tree}}")]);
        let merge = ["commit-tree", &tree, "-p", &base, "-p", &head, "-m", "Merge"];
        let merge = repo.git(&merge);
        for (commit, name) in [(&head, "head"), (&merge, "merge")] {
            let refs = format!("+{commit}:refs/pull/1/{name}");
            repo.git(&["push", "--quiet", "--no-verify", "origin", &refs]);
        }
        let body = json!({
            "action": "synchronize",
            "number": 1,
            "pull_request": {
                "number": 1,
                "state": "open",
                "head": {
                    "label": format!("acme:{branch}"), "ref": branch, "sha": head,
                    "repo": { "full_name": "acme/strategies", "fork": false },
                },
                "base": {
                    "label": "acme:main", "ref": "main", "sha": base,
                    "repo": { "full_name": "acme/strategies", "fork": false },
                },
            },
        });
        Event::new("pull_request", "refs/pull/1/merge", &merge, body)
    }

    /// Tells of a push, with the right that GitHub knows of the branch.
    pub(super) fn pushed(&self, branch: &str, before: &str, after: &str) -> Event {
        let zero = "0".repeat(40);
        let body = json!({
            "ref": format!("refs/heads/{branch}"),
            "before": before,
            "after": after,
            "created": before == zero,
            "deleted": after == zero,
            "forced": false,
            "compare": "https://github.com/acme/strategies/compare/a...b",
            "commits": [],
        });
        Event::new("push", &format!("refs/heads/{branch}"), after, body)
    }

    /// Puts a commit into the merge queue of `main`.
    pub(super) fn queued(&self, base: &str, head: &str) -> Event {
        let name = format!("gh-readonly-queue/main/pr-1-{base}");
        self.push(head, &name);
        let body = json!({
            "action": "checks_requested",
            "merge_group": {
                "head_sha": head,
                "head_ref": format!("refs/heads/{name}"),
                "base_sha": base,
                "base_ref": "refs/heads/main",
                "head_commit": { "id": head },
            },
        });
        Event::new("merge_group", &format!("refs/heads/{name}"), head, body)
    }

    /// Checks a commit out as actions/checkout does, as deep as it is told to; 0 is all there is.
    pub(super) fn checkout(&self, event: &Event, depth: u32) -> TestRepo {
        let clone = self.team.repo.beside("runner");
        let _none = std::fs::remove_dir_all(clone.path());
        std::fs::create_dir(clone.path()).unwrap();
        clone.git(&["init", "--quiet"]);
        let url = format!("file://{}", self.repo.path().display());
        clone.git(&["remote", "add", "origin", &url]);
        let commit = event.commit.as_str();
        if depth == 0 {
            clone.git(&[
                "fetch",
                "--quiet",
                "--no-tags",
                "origin",
                commit,
                "+refs/heads/*:refs/remotes/origin/*",
            ]);
        } else {
            let depth = format!("--depth={depth}");
            clone.git(&["fetch", "--quiet", "--no-tags", &depth, "origin", commit]);
        }
        clone.git(&["checkout", "--quiet", "--detach", commit]);
        clone
    }
}

/// What happened at GitHub, and the variables that come with it.
pub(super) struct Event {
    pub(super) body: Value,
    pub(super) commit: String,
    pub(super) context: BTreeMap<&'static str, String>,
}

impl Event {
    pub(super) fn new(name: &str, reference: &str, commit: &str, mut body: Value) -> Self {
        body["repository"] = json!({
            "full_name": "acme/strategies", "default_branch": "main", "private": true, "fork": false,
        });
        body["sender"] = json!({ "login": "ada", "type": "User" });
        let context = [
            ("event_name", name),
            ("ref", reference),
            ("sha", commit),
            ("ref_protected", if reference == "refs/heads/main" { "true" } else { "false" }),
            ("token", ""),
        ];
        let context = context.map(|(name, text)| (name, text.to_owned())).into();
        Event { body, commit: commit.to_owned(), context }
    }

    /// Gives what `${{ github.… }}` or `${{ inputs.… }}` stands for, as GitHub's expressions do: what is not
    /// there is empty.
    fn value(&self, path: &str, inputs: &BTreeMap<String, String>) -> String {
        if let Some(name) = path.strip_prefix("inputs.") {
            return inputs[name].clone();
        }
        let path = path.strip_prefix("github.").unwrap();
        let Some(field) = path.strip_prefix("event.") else { return self.context[path].clone() };
        match self.body.pointer(&format!("/{}", field.replace('.', "/"))) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// Gives the variables of the action's step.
    pub(super) fn variables(&self, given: &[(&str, &str)]) -> Vec<(String, String)> {
        let text = std::fs::read(action().join("action.yml")).unwrap();
        let (file, _) = orch::record::document::<Value>(&text).unwrap();
        let none = BTreeMap::new();
        let mut inputs = BTreeMap::new();
        for (name, input) in file["inputs"].as_object().unwrap() {
            let default = input["default"].as_str().unwrap();
            inputs.insert(name.clone(), self.expand(default, &none));
        }
        for (name, text) in given {
            assert!(inputs.insert((*name).to_owned(), (*text).to_owned()).is_some(), "{name}");
        }
        let environment = file["runs"]["steps"][0]["env"].as_object().unwrap();
        let expanded = environment
            .iter()
            .map(|(name, text)| (name.clone(), self.expand(text.as_str().unwrap(), &inputs)));
        expanded.collect()
    }

    fn expand(&self, text: &str, inputs: &BTreeMap<String, String>) -> String {
        let expression = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}"));
        expression.map_or(text.to_owned(), |path| self.value(path, inputs))
    }
}

/// What a step left behind.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) said: Said,
    pub(super) summary: String,
    pub(super) outputs: BTreeMap<String, String>,
}

impl Step {
    /// Asserts how it ended, in GitHub's and in the action's own words.
    #[track_caller]
    pub(super) fn ended(&self, code: i32) -> &Self {
        let verdict = ["pass", "refused", "fault"][usize::try_from(code).unwrap()];
        assert_eq!(
            (self.said.code, self.outputs.get("verdict").map(String::as_str)),
            (code, Some(verdict)),
            "{self:#?}"
        );
        self
    }

    /// Asserts a refusal with an annotation by this check; the summary and the SARIF tell it as well.
    #[track_caller]
    pub(super) fn refused_by(&self, check: &str) {
        self.ended(1);
        let annotation =
            |line: &str| line.starts_with("::error ") && line.contains(&format!("title={check}::"));
        assert!(self.said.out.lines().any(annotation), "{self:#?}");
        assert!(self.summary.contains(check), "{self:#?}");
        let rules = self.sarif()["runs"][0]["results"].clone();
        assert!(
            rules.as_array().unwrap().iter().any(|result| result["ruleId"] == check),
            "{rules:#}"
        );
    }

    /// Reads the SARIF that it names.
    pub(super) fn sarif(&self) -> Value {
        serde_json::from_slice(&std::fs::read(&self.outputs["sarif"]).unwrap()).unwrap()
    }
}

/// Runs the action's script in a checkout, with orch on the PATH.
pub(super) fn run(clone: &TestRepo, event: &Event, inputs: &[(&str, &str)]) -> Step {
    let folder = Path::new(ORCH).parent().unwrap().display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    run_with(clone, event, inputs, &[("PATH", path.into())])
}

/// Runs it with more variables.
pub(super) fn run_with(
    clone: &TestRepo,
    event: &Event,
    inputs: &[(&str, &str)],
    more: &[(&str, OsString)],
) -> Step {
    let temporary = clone.root().join("temporary");
    let _none = std::fs::remove_dir_all(&temporary);
    std::fs::create_dir(&temporary).unwrap();
    let [output, summary] = ["output", "summary"].map(|name| temporary.join(name));
    let mut command = Command::new("bash");
    command.arg(action().join("guard.sh")).current_dir(clone.path()).stdin(Stdio::null());
    command.env_clear().envs(clone.variables());
    command.env("CI", "true").env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_ACTION_PATH", action());
    command.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
    command.env("RUNNER_TEMP", &temporary).env("RUNNER_OS", "Linux").env("RUNNER_ARCH", "X64");
    command.envs(event.variables(inputs)).envs(more.iter().map(|(name, text)| (name, text)));
    let said = Said::from(&command.output().expect("there is a bash"));
    let read = |file: &Path| std::fs::read_to_string(file).unwrap_or_default();
    let outputs = read(&output);
    let outputs = outputs.lines().filter_map(|line| line.split_once('='));
    let outputs = outputs.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Step { said, summary: read(&summary), outputs }
}
