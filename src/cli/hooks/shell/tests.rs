//! What is read out of lines.

use super::*;

fn told(line: &str) -> Vec<String> {
    let calls = calls(line, Path::new("/r")).into_iter();
    calls
        .map(|call| {
            let skips = if call.skips_hooks { " skips" } else { "" };
            let plain = if call.is_plain { " plain" } else { "" };
            format!("{} {}{skips}{plain}", call.folder.display(), call.word)
        })
        .collect()
}

#[test]
fn what_git_is_asked_is_found() {
    let rows = [
        ("git commit -m 'Do; git push'", vec!["/r commit plain"]),
        ("git -C sub commit -qm \"a \\\" b\"", vec!["/r/sub commit plain"]),
        ("cd x && git status && git commit -m a", vec!["/r/x commit plain"]),
        ("git add -A && git commit -m a && git push", vec!["/r commit", "/r push"]),
        ("git commit -am a", vec!["/r commit"]),
        ("git commit -m a path", vec!["/r commit"]),
        ("FOO=1 sudo /usr/bin/git commit -nm a", vec!["/r commit skips plain"]),
        ("git commit --no-verify -m a", vec!["/r commit skips plain"]),
        ("git push --no-verif", vec!["/r push skips plain"]),
        ("git commit -m --no-verify", vec!["/r commit plain"]),
        ("git push origin HEAD", vec!["/r push plain"]),
        ("git push -u origin main", vec!["/r push plain"]),
        ("git push origin a:b", vec!["/r push"]),
        ("git push origin a b", vec!["/r push"]),
        ("git commit -unormal -Skeyn -m a", vec!["/r commit plain"]),
        (
            "git commit -F - <<EOF\ngit push --no-verify\nEOF\ngit push",
            vec!["/r commit plain", "/r push"],
        ),
        ("cat <<-'EOF' > x\n\tgit commit -n\n\tEOF\n", vec![]),
        ("cat <<< x; git commit -m a", vec!["/r commit plain"]),
        ("if true; then git commit -m a; fi", vec!["/r commit plain"]),
        ("git commit -m x -- -n", vec!["/r commit"]),
        ("git commit --no-verbose -m a", vec!["/r commit"]),
        ("git commit --no-verify --verify -m a", vec!["/r commit plain"]),
        ("git -c core.hooksPath=/x commit --verify", vec!["/r commit skips plain"]),
        ("git commit --dry-run -n", vec![]),
        ("sh -c 'git commit -n'", vec!["/r commit skips plain"]),
        (
            "bash -lc \"cd x && git commit -n\"; git push",
            vec!["/r/x commit skips plain", "/r push"],
        ),
        ("touch a; sh -c 'git commit'", vec!["/r commit"]),
        ("eval git commit -n", vec!["/r commit skips plain"]),
        ("env -u X git commit -n", vec!["/r commit skips plain"]),
        ("sudo -s git commit -n", vec!["/r commit skips plain"]),
        ("sh build.sh; git commit -m a", vec!["/r commit"]),
        ("env -C . git commit -n", vec!["/r commit skips plain"]),
        ("env -S 'git commit -n'", vec!["/r commit skips plain"]),
        ("env --split-string 'A=1 git' commit -n", vec!["/r commit skips plain"]),
        ("bash -c -- 'git commit -n'", vec!["/r commit skips plain"]),
        ("git commit $'-n' -m a", vec!["/r commit skips plain"]),
        ("git pull --no-verify", vec!["/r pull skips plain"]),
        ("git pull --rebase", vec![]),
        ("git merge --no-verify-signatures x", vec!["/r merge"]),
        ("git commit --author '-n <x@y>' --trailer -n -m a", vec!["/r commit plain"]),
        ("GIT_INDEX_FILE=/tmp/i git commit -m a", vec!["/r commit"]),
        ("git push --dry-run; git push -n origin main", vec![]),
        ("echo git commit", vec![]),
        ("git log --grep commit", vec![]),
    ];
    for (line, expected) in rows {
        assert_eq!(told(line), expected, "{line}");
    }
    let letter = "git commit -m \"$(cat <<'EOF'\nSay \"it\"; git push --no-verify\nEOF\n)\"";
    assert_eq!(told(letter), ["/r commit plain"]);
}

#[test]
fn other_hooks_are_found() {
    let rows = [
        ("git -c core.hooksPath=/dev/null commit -m a", vec!["/r commit skips plain"]),
        ("git -c core.hooksPath commit -m a", vec!["/r commit skips plain"]),
        ("git --config-env=core.hooksPath=X commit -m a", vec!["/r commit skips plain"]),
        ("git --config-env Core.HooksPath=X push", vec!["/r push skips plain"]),
        ("git --git-dir .git commit -n", vec!["/r commit skips plain"]),
        (
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/x git commit -m a",
            vec!["/r commit skips plain"],
        ),
        ("GIT_CONFIG_PARAMETERS=\"'core.hookspath=/x'\" git push", vec!["/r push skips plain"]),
        ("env GIT_CONFIG_KEY_0=core.hooksPath git merge x", vec!["/r merge skips"]),
        ("export GIT_CONFIG_KEY_0=core.hooksPath; git commit", vec!["/r commit skips plain"]),
        ("GIT_CONFIG_KEY_0=user.name GIT_CONFIG_COUNT=1 git commit", vec!["/r commit plain"]),
        ("echo GIT_CONFIG_KEY_0=core.hooksPath; git commit", vec!["/r commit plain"]),
        ("env -i git commit -n", vec!["/r commit skips plain"]),
        ("sudo -E GIT_CONFIG_KEY_0=core.hooksPath git push", vec!["/r push skips plain"]),
        ("git config core.hooksPath /x", vec!["/r config skips plain"]),
        ("git config --global --add core.HOOKSPATH /x", vec!["/r config skips plain"]),
        ("git config -f .git/config core.hooksPath ''", vec!["/r config skips plain"]),
        ("git -C a config --unset-all core.hooksPath", vec!["/r/a config skips plain"]),
        ("git config unset core.hooksPath", vec!["/r config skips plain"]),
        ("git config set --type path core.hooksPath /x", vec!["/r config skips plain"]),
        ("git config --remove-section core", vec!["/r config skips plain"]),
        ("git config core.hooksPath", vec![]),
        ("git config core.hooksPath 2>/dev/null", vec![]),
        ("H=$(git config core.hooksPath 2>/dev/null)", vec![]),
        ("git config core.hooksPath > out.txt", vec![]),
        ("git config core.hooksPath <'a b' # what is it", vec![]),
        ("git config 2>/dev/null core.hooksPath x", vec!["/r config skips plain"]),
        ("git config include.path x", vec!["/r config skips plain"]),
        ("git -c include.path=x commit", vec!["/r commit skips plain"]),
        ("GIT_CONFIG_GLOBAL=x git commit", vec!["/r commit skips plain"]),
        ("GIT_CONFIG_GLOBAL=/dev/null git commit", vec!["/r commit plain"]),
        ("git commit -m x &>/dev/null -n", vec!["/r commit skips plain"]),
        ("git commit -m x 2>&1 | tail -3", vec!["/r commit plain"]),
        ("git commit -m x # git push -n", vec!["/r commit plain"]),
        ("timeout 60 git commit -n", vec!["/r commit skips plain"]),
        ("nice -n 10 git push", vec!["/r push plain"]),
        ("git config --get core.hooksPath x", vec![]),
        ("git config get core.hooksPath", vec![]),
        ("git config user.name core.hooksPath", vec![]),
    ];
    for (line, expected) in rows {
        assert_eq!(told(line), expected, "{line}");
    }
}

#[test]
fn no_line_is_too_strange() {
    for line in [
        "",
        "'",
        "\"",
        "\\",
        "git",
        "git -C",
        "git -c",
        "git commit -m",
        "$(",
        "&&;|",
        "git commit -",
        &"eval x=1 ".repeat(10_000),
    ] {
        calls(line, Path::new("/r"));
    }
}
