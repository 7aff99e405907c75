//! orch in a shell: completions, colours, the pager, words that were mistyped, and what `hooks status` tells.

use std::process::Command;

use crate::support::{ORCH, Said, Team, TestRepo, on_terminal};

/// A folder with `orch` in it, as it stands in somebody's path.
fn path_with_orch(repo: &TestRepo) -> String {
    let folder = repo.root().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let _there_already = std::os::unix::fs::symlink(ORCH, folder.join("orch"));
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// Gives what Tab offers in a real bash, behind words as bash takes them apart.
fn bash(repo: &TestRepo, words: &[&str]) -> Vec<String> {
    let script = "eval \"$(orch completions bash)\"\n\
                  complete -p orch > /dev/null || exit 9\n\
                  COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9; COMPREPLY=()\n\
                  _clap_complete_orch orch \"${COMP_WORDS[COMP_CWORD]}\"\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash"]).args(words).current_dir(repo.path());
    command.env_clear().envs(repo.variables()).env("PATH", path_with_orch(repo));
    let said = Said::from(&command.output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{words:?}: {said:#?}");
    said.out.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Asserts what is offered, in order.
fn offers(team: &Team, line: &str, expected: &[&str]) {
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(bash(&team.repo, &words), expected, "{line}");
}

#[test]
fn bash_completes_what_the_repository_has() {
    let team = Team::new();
    team.land_data();
    team.open("strat-001", "new_strategy", &[]);
    team.open("alpha-9", "new_strategy", &[]);
    let tasks = bash(&team.repo, &["orch", "status", ""]);
    let tasks: Vec<&str> =
        tasks.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    assert_eq!(tasks, ["alpha-9", "strat-001", "data-001"], "open ones first");
    offers(&team, "orch handoff create str", &["strat-001"]);
    offers(&team, "orch run sta", &["start"]);
    offers(&team, "orch handoff create x --to quant", &["quant_engineer"]);
    offers(&team, "orch --agent found", &["founder"]);
    offers(&team, "orch approve x --stage deploy_l", &["deploy_live"]);
    offers(&team, "orch task open x --workflow new_s", &["new_strategy"]);
    offers(&team, "orch init --template str", &["strategy"]);
    offers(&team, "orch explain handoff-st", &["handoff-stale"]);
    offers(&team, "orch schema audit_req", &["audit_request"]);
    offers(&team, "orch log --kind audit_rep", &["audit_report"]);
    offers(&team, "orch guard --base mai", &["main"]);
    offers(&team, "orch guard --format sa", &["sarif"]);
    offers(&team, "orch task close x --outcome ro", &["rolled_back"]);
    offers(&team, "orch audit report x --verdict PA", &["PASS"]);
    offers(&team, "orch completions fi", &["fish"]);
    offers(&team, "orch handoff export x --format mark", &["markdown"]);
    offers(&team, "orch task quarantine x --evidence strategy_c", &["strategy_code"]);
    // Bash takes words apart at these two, and replaces what stands behind the last.
    offers(&team, "orch halt --scope lane : A", &["A"]);
    offers(&team, "orch log --format = js", &["json"]);
}

#[test]
fn halts_and_incidents_are_completed() {
    let team = Team::new();
    team.repo.git(&["switch", "--quiet", "-c", "orch/kill-switch"]);
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "Drawdown"];
    team.orch("founder", &[&halt[..], &["--id", "drawdown"]].concat());
    offers(&team, "orch unhalt dra", &["drawdown"]);
    offers(&team, "orch incident show inc", &["inc-drawdown"]);
    offers(&team, "orch unhalt drawdown --incident inc", &["inc-drawdown"]);
    offers(&team, "orch log --task dra", &["drawdown"]);
    offers(&team, "orch procedure start kill", &["kill_switch"]);
}

/// Nothing that can't be read is offered, and nothing is said of it.
#[test]
fn a_broken_repository_completes_nothing() {
    let team = Team::over(TestRepo::new());
    offers(&team, "orch handoff create x", &[]);
    offers(&team, "orch stat", &["status"]);
    team.repo.write(".orch/policy.yaml", "version: [");
    team.smuggle("Break it");
    offers(&team, "orch handoff create x --to q", &[]);
    team.repo.write(".git/HEAD", "nonsense");
    offers(&team, "orch status x", &[]);
    let outside = team.repo.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let outside = team.repo.beside("outside");
    assert_eq!(bash(&outside, &["orch", "run", "start", "x"]), Vec::<String>::new());
}

/// Other shells ask as their script says.
#[test]
fn other_shells_are_answered() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    for (shell, sign) in [
        ("zsh", "#compdef orch"),
        ("fish", "--command orch"),
        ("elvish", "edit:completion:arg-completer[orch]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = team.orch("", &["completions", shell]);
        assert!(script.contains(sign) && script.contains("ORCH_COMPLETE"), "{script}");
        let mut command = team.command("", "", &["--", "orch", "status", "str"]);
        command.env("ORCH_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", "2");
        let said = Said::from(&command.output().unwrap());
        assert!(said.code == 0 && said.out.starts_with("strat-001"), "{shell}: {said:#?}");
        assert_eq!(said.err, "");
    }
    if let Ok(fish) = Command::new("fish").arg("--version").output() {
        assert!(fish.status.success());
        let mut command = Command::new("fish");
        let script = "orch completions fish | source; complete -C 'orch status str'";
        command.args(["--no-config", "-c", script]).current_dir(team.repo.path());
        command.env_clear().envs(team.repo.variables()).env("PATH", path_with_orch(&team.repo));
        let said = Said::from(&command.output().unwrap());
        assert_eq!(said.out.trim_end(), "strat-001\tMoving average", "{said:#?}");
    }
    if let Ok(zsh) = Command::new("zsh").arg("--version").output() {
        assert!(zsh.status.success());
        let mut command = Command::new("zsh");
        let script = "autoload -Uz compinit && compinit -u -D; eval \"$(orch completions zsh)\"\n\
                      print -r -- ${_comps[orch]}";
        command.args(["-f", "-c", script]).current_dir(team.repo.path());
        command.env_clear().envs(team.repo.variables()).env("PATH", path_with_orch(&team.repo));
        let said = Said::from(&command.output().unwrap());
        assert_eq!(said.out.trim_end(), "_clap_dynamic_completer_orch", "{said:#?}");
    }
}

/// A variable that somebody left behind keeps no hook from judging.
#[test]
fn the_variable_of_completions_disarms_no_guard() {
    let team = Team::new();
    team.repo.write("deploy/live/config.json", "{}\n");
    team.repo.git(&["add", "deploy"]);
    for arguments in [&["guard"][..], &["guard", "--", "orch", "status"]] {
        let mut command = team.command("", "", arguments);
        let said = Said::from(&command.env("ORCH_COMPLETE", "bash").output().unwrap());
        assert_ne!(said.code, 0, "{said:#?}");
    }
    // What is no question is refused as ever, and never answered by nothing and exit code 0.
    for (shell, arguments) in [
        ("bash", &["--", "guard"][..]),
        ("fish", &["--", "guard", "--staged"]),
        ("1", &["--", "orch", "status", ""]),
        ("bash", &["--"]),
    ] {
        let mut command = team.command("", "", arguments);
        let said = Said::from(&command.env("ORCH_COMPLETE", shell).output().unwrap());
        assert!(said.code == 2 && !said.err.is_empty(), "{shell} {arguments:?}: {said:#?}");
    }
    let armed = team.with_variable("ORCH_COMPLETE", "bash");
    armed.git_refused(&["commit", "-m", "Foreign"], "branch-protected");
}

#[test]
fn a_command_that_there_is_not_is_told_where_it_stands() {
    let team = Team::over(TestRepo::new());
    let rows = [
        (&["start", "strat-001"][..], "did you mean `orch run start`?"),
        (&["hand", "off", "create"], "did you mean `orch handoff`?"),
        (&["doctor"], "did you mean `orch hooks status`?"),
        (&["statsu"], "'status'"),
        (&["run", "strt"], "'start'"),
        (&["status", "--fromat", "json"], "'--format'"),
    ];
    for (arguments, expected) in rows {
        let said = team.try_orch("", arguments);
        assert!(said.code == 2 && said.err.contains(expected), "{arguments:?}: {said:#?}");
    }
}

/// A word that is no option is named, with what may have been meant by it.
#[test]
fn the_guard_takes_no_word() {
    let team = Team::new();
    let said = team.try_orch("", &["guard", "main"]);
    assert!(
        said.fault().contains("no argument `main`") && said.err.contains("--base REV"),
        "{said:#?}"
    );
}

/// Gives what orch shows on a terminal, with some variables set.
fn shown(team: &Team, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = team.command("", "", arguments);
    command.env("TERM", "xterm").envs(variables.iter().copied());
    on_terminal(command)
}

#[test]
fn colours_are_for_those_who_want_them() {
    let team = Team::new();
    team.repo.write("deploy/live/config.json", "{}\n");
    team.repo.git(&["add", "deploy"]);
    let coloured =
        |variables: &[(&str, &str)]| shown(&team, &["guard"], variables).1.contains('\u{1b}');
    assert!(coloured(&[]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
    assert!(!coloured(&[("CLICOLOR", "0")]));
    assert!(!coloured(&[("TERM", "dumb")]));
    for (forced, expected) in [("1", true), ("0", false)] {
        let mut command = team.command("", "", &["guard"]);
        let said = Said::from(&command.env("CLICOLOR_FORCE", forced).output().unwrap());
        assert_eq!(said.err.contains('\u{1b}'), expected, "{said:#?}");
    }
}

/// A pager gets what is long, and whatever becomes of it, nothing is lost.
#[test]
fn a_pager_shows_what_is_long() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    let paging = [("ORCH_PAGER", "sed 's/^/paged: /'")];
    for arguments in [&["status"][..], &["explain", "handoff-stale"], &["log"], &["report"]] {
        let (code, said) = shown(&team, arguments, &paging);
        assert!(code == 0 && said.starts_with("paged: "), "{arguments:?}: {said}");
    }
    let plain = team.orch("", &["explain"]);
    type Row<'r> = (&'r [&'r str], &'r [(&'r str, &'r str)]);
    let not: [Row<'_>; 6] = [
        (&["explain", "--no-pager"], &paging),
        (&["--no-pager", "explain"], &paging),
        (&["explain"], &[("ORCH_PAGER", "")]),
        (&["explain"], &[("ORCH_PAGER", "no-such-program 2> /dev/null")]),
        (&["explain"], &[("ORCH_PAGER", "exit 3")]),
        (&["explain"], &[("ORCH_PAGER", "sed s/^/paged:/"), ("TERM", "dumb")]),
    ];
    for (arguments, variables) in not {
        assert_eq!(shown(&team, arguments, variables), (0, plain.clone()), "{variables:?}");
    }
    let (_, json) = shown(&team, &["status", "--format", "json"], &paging);
    assert!(!json.contains("paged:"), "{json}");
    let mut piped = team.command("", "", &["status"]);
    let piped = Said::from(&piped.env("ORCH_PAGER", "sed s/^/paged:/").output().unwrap());
    assert!(!piped.out.contains("paged:"), "{piped:#?}");
    // Git is asked where nobody says otherwise, and an exit code stays what it is.
    team.repo.git(&["config", "core.pager", "sed s/^/git:/"]);
    assert!(shown(&team, &["explain"], &[]).1.starts_with("git:"));
    let (code, said) = shown(&team, &["status", "no-such-task"], &paging);
    assert!(code == 2 && said.contains("no-such-task") && !said.contains("paged:"), "{said}");
}

/// Every command has its page, and the typesetter finds nothing wrong with any.
#[test]
fn the_manual_has_a_page_for_each_command() {
    let team = Team::over(TestRepo::new());
    let said = team.orch("", &["man", "--output", "man1"]);
    let folder = team.repo.path().join("man1");
    let pages = std::fs::read_dir(&folder).unwrap().count();
    assert!(pages > 70 && said.contains(&format!("wrote {pages} pages")), "{said}");
    let start = team.read("man1/orch-run-start.1");
    for part in
        [".TH ORCH-RUN-START 1 ", concat!("orch ", env!("CARGO_PKG_VERSION")), ".SH NOTES", "claim"]
    {
        assert!(start.contains(part), "{part}: {start}");
    }
    let Ok(groff) = Command::new("groff").arg("--version").output() else { return };
    assert!(groff.status.success());
    let script = "for page in man1/*.1; do groff -man -ww -z -Tutf8 \"$page\" 2>&1 | sed \"s|^|$page: |\"; done";
    let output = Command::new("sh").args(["-c", script]).current_dir(team.repo.path()).output();
    assert_eq!(String::from_utf8_lossy(&output.unwrap().stdout), "");
}

/// A folder is filled with files that nobody named, so none of them is written through a link.
#[test]
fn a_folder_is_not_filled_through_links() {
    let team = Team::over(TestRepo::new());
    let outside = team.repo.root().join("outside");
    std::fs::write(&outside, "mine").unwrap();
    for (folder, link, arguments) in [
        ("man1", "orch-run.1", &["man", "--output", "man1"][..]),
        ("schemas", "task.schema.json", &["schema", "--all", "--output", "schemas"]),
        ("schemas2", "vscode.json", &["schema", "--all", "--output", "schemas2"]),
    ] {
        let folder = team.repo.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&outside, folder.join(link)).unwrap();
        let said = team.try_orch("", arguments);
        assert!(said.denied().contains(&format!("{link} is a link")), "{said:#?}");
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
    }
}

/// What a killed command left beside an output goes when that is written again; what may be another's stays.
#[test]
fn what_a_killed_command_left_behind_is_removed() {
    let team = Team::over(TestRepo::new());
    team.orch("", &["init"]);
    let digest = orch::source::Digest::of(b"found.json").hex();
    let stale = format!(".orch-{}-a1b2c3", &digest[..8]);
    let fresh = format!(".orch-{}-d4e5f6", &digest[..8]);
    for name in [&stale, &fresh, ".orch-other", ".orch-00000000-a1b2c3"] {
        team.repo.write(name, "half");
        let hours = if *name == fresh { 0 } else { 2 };
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(hours * 3600);
        let file = std::fs::File::options().write(true).open(team.repo.path().join(name)).unwrap();
        file.set_modified(then).unwrap();
    }
    team.orch("", &["guard", "--format", "json", "--output", "found.json"]);
    assert!(!team.repo.path().join(&stale).exists(), "{stale}");
    for name in [&fresh, ".orch-other", ".orch-00000000-a1b2c3", "found.json"] {
        assert!(team.repo.path().join(name).exists(), "{name}");
    }
}

/// What is not in place is told, with what to type.
#[test]
fn hooks_status_tells_what_stands_around_the_guard() {
    let team = Team::over(TestRepo::new());
    let told = |team: &Team, agent: &str| {
        let said = team.try_orch(agent, &["hooks", "status"]);
        (said.code, said.out)
    };
    let (code, bare) = told(&team, "");
    assert_eq!(code, 1);
    for line in [
        "pre-commit: missing",
        "policy: none; type: orch init",
        "CI: no file of this repository runs the guard",
        "agents' harness: not told; type: orch hooks install --agents",
        "agent: nobody; type: export ORCH_AGENT=NAME",
        "session: none; type: export ORCH_SESSION=ID",
        "commits: Ada Author <ada@example.org>",
    ] {
        assert!(bare.contains(line), "{line}: {bare}");
    }
    team.orch("", &["init", "--template", "strategy", "--hooks"]);
    assert!(told(&team, "").1.contains("policy: .orch/policy.yaml is staged; type: git commit"));
    team.commit("Begin with orch");
    team.orch("", &["hooks", "install", "--agents"]);
    team.repo.write(".github/workflows/ci.yml", "steps:\n  - run: orch guard --base origin/main\n");
    let (code, full) = told(&team, "founder");
    assert_eq!(code, 0, "{full}");
    for line in [
        &format!("program: {ORCH}, version {}\n", env!("CARGO_PKG_VERSION")),
        "policy: .orch/policy.yaml\n",
        "CI: .github/workflows/ci.yml\n",
        "agents' harness: .claude/settings.json asks orch\n",
        "agent: founder\n",
        "session: session-of-founder\n",
    ] {
        assert!(full.contains(line), "{line}: {full}");
    }
    assert!(told(&team, "nobody").1.contains("agent: nobody, whom the policy does not know"));
    let hook = team.repo.path().join(".git/hooks/pre-commit");
    let text = std::fs::read_to_string(&hook).unwrap();
    for name in ["pre-commit", "pre-merge-commit", "pre-push"] {
        let hook = team.repo.path().join(".git/hooks").join(name);
        std::fs::write(hook, text.replace(ORCH, "/no/such/orch")).unwrap();
    }
    let (code, gone) = told(&team, "");
    assert!(code == 1 && gone.contains("/no/such/orch is gone"), "{gone}");
}
