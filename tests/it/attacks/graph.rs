//! Group D: what a clone lacks, what a branch was made of, and where it arrives.

use super::seen::{Seen, ci, commit, git, guard, orch, smuggled};
use super::stages::{auditing, begun, delivered, fresh, handed_over, sealed};
use crate::support::{CODE, Team, TestRepo};

attacks![
    base_not_fetched(56, "a clone of depth 1 that lacks the base", Err, ["git fetch"]),
    history_cut(
        57,
        "a shallow clone that has both ends and not what joins them",
        Err,
        ["--unshallow"]
    ),
    blob_left_out(58, "a partial clone that lacks a file, offline", Err, ["--refetch"]),
    sparse_checkout(59, "a sparse checkout", Ok, []),
    injected_variables(
        62,
        "variables that name another repository, other objects or settings",
        Deny,
        ["checksum-mismatch"]
    ),
    sync_merge(64, "a merge of `main` into a branch", Ok, []),
    evil_merge(
        64,
        "a merge that hides a change of its own",
        Deny,
        ["handoff-stale", "record-modified", "lane-violation"]
    ),
    rewritten_base(
        67,
        "a protected branch that is rewritten or deleted",
        Deny,
        ["branch-protected"]
    ),
    squash_merge(69, "a squash merge after which the audited commit is gone", Ok, []),
    rebased(70, "a rebase with the same content", Ok, []),
    rebased_otherwise(70, "a rebase with other content", Deny, ["checksum-mismatch"]),
    moved_head(
        71,
        "a branch that moves between the verdict and the push",
        Deny,
        ["checksum-mismatch"]
    ),
    merge_queue(
        72,
        "two changes, fine alone, that give one number or one id twice",
        Deny,
        ["chain-forked", "duplicate-submission"]
    ),
    empty_base(73, "a merge group whose variables are empty", Err, []),
    bytes_of_a_fork(
        76,
        "evidence that only another ref holds",
        Deny,
        ["artifact-missing", "checksum-mismatch"]
    ),
    notes_and_refs(
        77,
        "notes and refs of one's own, missing or rewound: nothing rests on them",
        Ok,
        []
    ),
    sha256(78, "a repository whose objects are named by SHA-256", Ok, []),
];

const BRANCH: &str = "feature/strat-001-strategy";

/// A branch with a handoff, from which `main` has gone on.
fn parted() -> Team {
    let team = handed_over();
    team.repo.git(&["switch", "--quiet", "main"]);
    team.open("strat-002", "new_strategy", &[]);
    team.commit("Open strat-002");
    team.repo.git(&["switch", "--quiet", BRANCH]);
    team
}

fn clone(team: &Team, arguments: &[&str]) -> Team {
    Team::over(team.repo.clone_to("clone", &[arguments, &["--branch", BRANCH]].concat()))
}

fn base_not_fetched() -> Vec<Seen> {
    let team = parted();
    let base = team.repo.git(&["rev-parse", "main"]);
    let clone = clone(&team, &["--depth=1"]);
    vec![guard(&clone, &["--base", &base]), guard(&clone, &["--base", "HEAD~1"])]
}

fn history_cut() -> Vec<Seen> {
    let clone = clone(&parted(), &["--depth=1", "--no-single-branch"]);
    let cut = guard(&clone, &["--base", "origin/main"]);
    clone.repo.git(&["fetch", "--quiet", "--unshallow", "origin"]);
    clone.guard(&["--base", "origin/main"]).passed();
    vec![cut]
}

fn blob_left_out() -> Vec<Seen> {
    let team = parted();
    team.repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = ["--filter=blob:none", "--branch", "main"];
    let clone = Team::over(team.repo.clone_to("clone", &partial));
    // Whatever Git would fetch on the way can't be had any more.
    clone.repo.git(&["remote", "set-url", "origin", "file:///nowhere"]);
    let head = format!("origin/{BRANCH}");
    vec![guard(&clone, &["--base", "origin/main", "--head", &head, "--branch", BRANCH])]
}

fn sparse_checkout() -> Vec<Seen> {
    let mut all = Vec::new();
    for flags in [&["--no-cone"][..], &["--cone", "--sparse-index"]] {
        let team = parted();
        team.repo.git(&[&["sparse-checkout", "set"], flags, &["data"]].concat());
        assert!(!team.repo.path().join(CODE).exists());
        all.extend([ci(&team), guard(&team, &[])]);
        all.push(orch(&team, "", &["handoff", "verify", "strat-001"]));
        all.push(orch(&team, "", &["verify"]));
        team.repo.write("README.md", "Strategies\n");
        team.repo.git(&["add", "--sparse", "README.md"]);
        all.push(commit(&team));
    }
    all
}

fn injected_variables() -> Vec<Seen> {
    let team = sealed();
    team.edit(CODE, "20", "21");
    team.smuggle("A small thing");
    let other = fresh();
    let objects = other.repo.path().join(".git/objects").display().to_string();
    [
        ("GIT_OBJECT_DIRECTORY", objects.clone()),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects),
        ("GIT_NAMESPACE", "other".into()),
        ("GIT_REPLACE_REF_BASE", "refs/other/".into()),
        ("GIT_SHALLOW_FILE", "/dev/null".into()),
        ("GIT_GRAFT_FILE", "/dev/null".into()),
        ("GIT_CONFIG_PARAMETERS", "'core.bare=true'".into()),
        ("GIT_CONFIG", "/dev/null".into()),
        ("GIT_LITERAL_PATHSPECS", "1".into()),
        ("GIT_EXTERNAL_DIFF", "/bin/true".into()),
        ("GIT_QUARANTINE_PATH", "/nowhere".into()),
    ]
    .map(|(name, value)| ci(&team.with_variable(name, value)))
    .into()
}

fn sync_merge() -> Vec<Seen> {
    let team = delivered();
    team.open("strat-002", "new_strategy", &[]);
    team.orch("strategy_developer", &["run", "start", "strat-002"]);
    team.commit("Begin strat-002");
    team.repo.git(&["switch", "--quiet", "main"]);
    team.backtest();
    team.repo.git(&["switch", "--quiet", "feature/strat-002-strategy"]);
    let merged = git(&team, &["merge", "--no-edit", "main"]);
    vec![merged, ci(&team)]
}

/// What neither parent has is the merge's own, and nobody else's to answer for.
fn evil_merge() -> Vec<Seen> {
    let mut all = Vec::new();
    let deeds: [fn(&Team); 3] = [
        |team| team.edit(CODE, "20", "21"),
        |team| team.repo.remove(&team.record("strat-001", "gate")),
        |team| team.repo.write("deploy/live/x.json", "{}\n"),
    ];
    for deed in deeds {
        let team = delivered();
        team.open("strat-002", "new_strategy", &[]);
        team.commit("Open strat-002");
        team.repo.git(&["switch", "--quiet", "--create", "orch/behind", "HEAD~1"]);
        team.repo.write("README.md", "Strategies\n");
        team.repo.git(&["add", "--all"]);
        team.commit("Say what it is");
        team.repo.git(&["merge", "--quiet", "--no-commit", "main"]);
        deed(&team);
        team.repo.git(&["add", "--all"]);
        all.push(commit(&team));
        team.repo.commit_staged("Merge, and more");
        all.push(ci(&team));
        // The same, seen from where it arrives.
        all.push(guard(&team, &["--base", "main", "--branch", "main"]));
    }
    all
}

/// A bare server with a pre-receive hook, which has all branches and is known as `origin`.
fn served(team: &Team) -> Team {
    let server = Team::over(team.repo.clone_to("server.git", &["--bare"]));
    server.orch("", &["hooks", "install", "--server"]);
    let url = format!("file://{}", server.repo.path().display());
    team.repo.git(&["remote", "add", "origin", &url]);
    team.repo.git(&["fetch", "--quiet", "origin"]);
    server
}

fn rewritten_base() -> Vec<Seen> {
    let team = delivered();
    let server = served(&team);
    let before = server.repo.git(&["for-each-ref"]);
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let all = vec![
        git(&team, &["push", "--force", "origin", "main"]),
        git(&team, &["push", "--force", "--no-verify", "origin", "main"]),
        git(&team, &["push", "origin", ":main"]),
        git(&team, &["push", "--no-verify", "origin", ":main"]),
    ];
    assert_eq!(server.repo.git(&["for-each-ref"]), before);
    all
}

/// A forge commits a squash by itself, so no hook of ours is asked.
fn squash_merge() -> Vec<Seen> {
    let team = auditing();
    let report = ["audit", "report", "strat-001", "--verdict", "PASS"];
    let tests = ["--test", "anti_bias=PASS", "--test", "full_audit=PASS"];
    team.orch("independent_auditor", &[&report[..], &tests].concat());
    team.commit("Pass the audit");
    team.orch("orchestrator", &["gate", "strat-001"]);
    team.commit("Pass the gate");
    let audited = team.repo.git(&["rev-parse", "HEAD"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.git(&["merge", "--quiet", "--squash", "feature/strat-001-audit"]);
    team.repo.commit_staged("The audit, in one");
    team.repo.git(&["branch", "--quiet", "-D", "feature/strat-001-audit"]);
    team.repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    team.repo.git(&["gc", "--quiet", "--prune=now"]);
    assert_ne!(team.try_git(&["cat-file", "-e", &audited]).code, 0);
    let landed = guard(&team, &["--base", "main~1", "--branch", "main"]);
    let verified = orch(&team, "", &["verify"]);
    let deploy = orch(&team, "deployment_agent", &["run", "start", "strat-001"]);
    vec![landed, verified, deploy, commit(&team)]
}

fn rebased() -> Vec<Seen> {
    let team = parted();
    team.repo.git(&["rebase", "--quiet", "main"]);
    let again = ci(&team);
    team.repo.git(&["switch", "--quiet", "main"]);
    vec![again, git(&team, &["merge", "--no-ff", "--no-edit", BRANCH])]
}

fn rebased_otherwise() -> Vec<Seen> {
    let team = parted();
    team.repo.git(&["rebase", "--quiet", "main"]);
    team.edit(CODE, "20", "21");
    team.repo.git(&["commit", "--quiet", "--all", "--no-verify", "--amend", "--no-edit"]);
    let amended = ci(&team);
    team.repo.git(&["switch", "--quiet", "main"]);
    vec![amended, git(&team, &["merge", "--no-ff", "--no-edit", BRANCH])]
}

/// The verdict names the commit that was judged, and a server judges what really arrives.
fn moved_head() -> Vec<Seen> {
    let team = handed_over();
    served(&team);
    let judged = team.guard(&["--base", "origin/main"]);
    judged.passed();
    team.edit(CODE, "20", "21");
    team.smuggle("A small thing");
    assert_ne!(judged.json["head"], *team.repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(judged.json["head"], *team.repo.git(&["rev-parse", "HEAD~1"]));
    let bypassed = git(&team, &["push", "--no-verify", "origin", BRANCH]);
    team.repo.git(&["push", "--quiet", "--no-verify", "origin", &format!("HEAD~1:{BRANCH}")]);
    vec![bypassed]
}

/// Two branches from `main`, and what a queue makes of them.
fn queued(team: &Team, changes: [&dyn Fn(); 2]) -> Seen {
    for (change, name) in changes.into_iter().zip(["orch/one", "orch/two"]) {
        team.repo.git(&["switch", "--quiet", "--create", name, "main"]);
        change();
        team.commit("One of two");
        team.guard(&["--base", "main"]).passed();
    }
    let group = "gh-readonly-queue/main/pr-2-0123abc";
    team.repo.git(&["switch", "--quiet", "--create", group, "main"]);
    let merge = ["merge", "--quiet", "--no-ff", "--no-verify", "--no-edit"];
    for name in ["orch/one", "orch/two"] {
        team.repo.git(&[&merge[..], &[name]].concat());
    }
    ci(team)
}

fn merge_queue() -> Vec<Seen> {
    let team = fresh();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let pause = ["pause", "strat-001", "--reason", "Hold on"];
    let block = ["task", "block", "strat-001", "--reason", "No data"];
    let number = queued(
        &team,
        [&|| drop(team.orch("founder", &pause)), &|| {
            drop(team.orch("founder", &block));
        }],
    );
    let team = fresh();
    let open = |id: &str| team.open(id, "new_strategy", &[]);
    let id = queued(&team, [&|| open("strat-002"), &|| open("Strat-002")]);
    let team = fresh();
    let open = |id: &str| team.open(id, "new_strategy", &[]);
    let honest = queued(&team, [&|| open("strat-002"), &|| open("strat-003")]);
    honest.settle(super::Owed::Ok, &[]);
    vec![number, id]
}

fn empty_base() -> Vec<Seen> {
    let team = handed_over();
    vec![
        guard(&team, &["--base", ""]),
        guard(&team, &["--base="]),
        guard(&team, &["--base", "main", "--head", ""]),
        guard(&team, &["--base", "0000000000000000000000000000000000000000"]),
        orch(&team, "", &["verify", ""]),
    ]
}

fn bytes_of_a_fork() -> Vec<Seen> {
    let path = "strategies/pine_v6/elsewhere.pine";
    let begin = || {
        let team = begun();
        team.repo.git(&["switch", "--quiet", "--create", "fork"]);
        team.repo.write(path, "plot(open)\n");
        team.smuggle("Elsewhere");
        let digest = team.digest(path);
        team.repo.git(&["switch", "--quiet", BRANCH]);
        team.write_strategy();
        team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
        (team, digest)
    };
    let (named, _) = begin();
    named.edit(&named.record("strat-001", "handoff"), CODE, path);
    let (sealed, digest) = begin();
    sealed.edit(&sealed.record("strat-001", "handoff"), &sealed.digest(CODE), &digest);
    vec![smuggled(&named), smuggled(&sealed)]
}

fn notes_and_refs() -> Vec<Seen> {
    let team = parted();
    team.repo.git(&["notes", "add", "-m", "verdict: fail", "HEAD"]);
    for name in ["refs/orch/claims/strat-001", "refs/orch/head", "refs/notes/orch"] {
        team.repo.git(&["update-ref", name, "main~1"]);
    }
    let with = ci(&team);
    team.repo.git(&["update-ref", "refs/orch/head", "HEAD~1"]);
    team.repo.git(&["notes", "remove", "HEAD"]);
    let rewound = ci(&team);
    // A clone brings neither notes nor such refs.
    let clone = clone(&team, &[]);
    vec![with, rewound, guard(&clone, &["--base", "origin/main"])]
}

fn sha256() -> Vec<Seen> {
    let team = Team::over(TestRepo::init(&["--object-format=sha256"]));
    team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
    team.commit("Begin with orch");
    team.hand_over_strategy(&[]);
    let judged = team.guard(&["--base", "main"]);
    assert_eq!(judged.json["head"].as_str().map(str::len), Some(64));
    let branch = ci(&team);
    team.pass("strat-001", "strategy");
    vec![branch, orch(&team, "", &["verify"]), orch(&team, "", &["handoff", "verify", "strat-001"])]
}
