//! The job for GitLab's pipelines, run by a shell with GitLab's variables.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use roxmltree::Document;
use serde_json::Value;

use super::runner::{BRANCH, Server, ZERO};
use crate::support::{CODE, ORCH, Said, Team, TestRepo};

/// A server with a branch on which a handoff is sealed, and a runner's clone of it.
struct Pipeline {
    server: Server,
    clone: TestRepo,
    script: String,
}

/// Gives what the job runs, as `orch init` writes it.
fn script(team: &Team) -> String {
    team.orch("", &["init", "--ci", "gitlab"]);
    let text = team.read(".gitlab-ci.yml");
    team.repo.git(&["rm", "--quiet", "--force", ".gitlab-ci.yml"]);
    let (file, _) = orch::record::document::<Value>(text.as_bytes()).unwrap();
    assert_eq!(file["orch guard"]["variables"]["GIT_DEPTH"], "0");
    file["orch guard"]["script"][0].as_str().unwrap().to_owned()
}

impl Pipeline {
    fn new() -> Self {
        let server = Server::new();
        let script = script(&server.team);
        server.team.hand_over_strategy(&[]);
        server.push(BRANCH, BRANCH);
        let clone = server.repo.clone_to("runner", &[]);
        Pipeline { server, clone, script }
    }

    /// Runs the job for a commit; what is not among `more` is as GitLab has it for a merge request.
    fn run(&self, commit: &str, more: &[(&str, &str)]) -> Said {
        self.clone.git(&["fetch", "--quiet", "origin"]);
        self.clone.git(&["checkout", "--quiet", "--detach", commit]);
        let mut variables: BTreeMap<&str, &str> = [
            ("CI_MERGE_REQUEST_IID", "1"),
            ("CI_MERGE_REQUEST_EVENT_TYPE", "detached"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "7"),
            ("CI_MERGE_REQUEST_PROJECT_URL", "https://gitlab.example.org/acme/strategies"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "7"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "acme/strategies"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", BRANCH),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_PROJECT_ID", "7"),
            ("CI_COMMIT_BEFORE_SHA", ZERO),
            ("CI_COMMIT_SHA", commit),
            ("CI_COMMIT_REF_NAME", BRANCH),
        ]
        .into();
        variables.extend(more.iter().copied());
        let folder = Path::new(ORCH).parent().unwrap().display();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.script).current_dir(self.clone.path()).stdin(Stdio::null());
        command.env_clear().envs(self.clone.variables()).env("PATH", path);
        Said::from(&command.envs(variables).output().unwrap())
    }

    fn tamper(&self) -> String {
        self.server.team.edit(CODE, "20", "21");
        self.server.team.smuggle("A small thing");
        self.server.push(BRANCH, BRANCH);
        self.server.commit(BRANCH)
    }

    fn refused(&self, said: &Said, check: &str) {
        assert_eq!(said.code, 1, "{said:#?}");
        assert!(said.checks().contains(&check), "{said:#?}");
        let report = std::fs::read_to_string(self.clone.path().join("orch-guard.xml")).unwrap();
        let report = Document::parse(&report).unwrap();
        let named = |node: &roxmltree::Node<'_, '_>| node.attribute("name") == Some(check);
        assert!(report.descendants().any(|node| named(&node)), "{check}");
    }
}

#[test]
fn a_merge_request_is_judged_by_what_was_agreed() {
    let pipeline = Pipeline::new();
    let head = pipeline.server.commit(BRANCH);
    assert_eq!(pipeline.run(&head, &[]).code, 0);
    let bad = pipeline.tamper();
    pipeline.refused(&pipeline.run(&bad, &[]), "checksum-mismatch");
    // Of a merged result, the branch is judged, and not the merge that GitLab made.
    let merged = [
        ("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", bad.as_str()),
    ];
    pipeline.refused(&pipeline.run(&head, &merged), "checksum-mismatch");
}

/// Attack 72: a train is judged as what would land.
#[test]
fn a_merge_train_is_judged_as_what_lands() {
    let pipeline = Pipeline::new();
    let team = &pipeline.server.team;
    team.pass("strat-001", "strategy");
    let train = pipeline.server.commit("main");
    pipeline.server.push("main", "train");
    let on_train = [("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train")];
    let said = pipeline.run(&train, &on_train);
    assert_eq!(said.code, 0, "{said:#?}");
    team.repo.write("deploy/live/config.json", "{}\n");
    team.smuggle("Foreign");
    let train = pipeline.server.commit("main");
    pipeline.server.push("main", "train");
    pipeline.refused(&pipeline.run(&train, &on_train), "lane-violation");
}

/// A fork's `main` is not the protected branch here, whoever's pipeline it is.
#[test]
fn a_fork_is_judged_by_the_project_that_it_goes_to() {
    let pipeline = Pipeline::new();
    let head = pipeline.server.commit(BRANCH);
    // The pipeline of the fork fetches the branch from where the request goes to.
    let url = format!("file://{}", pipeline.server.repo.path().display());
    let url = url.trim_end_matches(".git");
    let fork = [
        ("CI_PROJECT_ID", "8"),
        ("CI_MERGE_REQUEST_PROJECT_URL", url),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "8"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "mallory/strategies"),
    ];
    let named_main = [&fork[..], &[("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "main")]].concat();
    pipeline.refused(&pipeline.run(&head, &named_main), "branch-name");
    let said = pipeline.run(&head, &fork);
    assert_eq!(said.code, 0, "{said:#?}");
}

#[test]
fn a_push_is_judged_from_where_the_branch_stood() {
    let pipeline = Pipeline::new();
    let team = &pipeline.server.team;
    let before = pipeline.server.commit("main");
    let pushed = |before: &str, after: &str| {
        let push = [
            ("CI_MERGE_REQUEST_IID", ""),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_REF_NAME", "main"),
            ("CI_COMMIT_BEFORE_SHA", before),
        ];
        pipeline.run(after, &push)
    };
    assert_eq!(pushed(ZERO, &before).code, 0);
    team.pass("strat-001", "strategy");
    let after = pipeline.server.commit("main");
    pipeline.server.push("main", "main");
    let said = pushed(&before, &after);
    assert_eq!(said.code, 0, "{said:#?}");
    // Attack 67: what was agreed is gone.
    pipeline.server.push(&before, "main");
    assert_ne!(pushed(&after, &before).code, 0);
}
