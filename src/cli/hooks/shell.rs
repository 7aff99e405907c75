//! What a line for the shell asks of Git, as far as that can be told by looking at it: enough to warn an agent
//! early, and never all there is. Git's own hooks judge what is really done.

use std::path::{Path, PathBuf};

/// One commit, push or merge that a line asks for, or a change of where Git looks for hooks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// `commit`, `push`, `merge`, or `config` where that leads Git to other hooks.
    pub(super) word: String,
    /// The folder in which Git is called.
    pub(super) folder: PathBuf,
    /// The branch that a push names.
    pub(super) branch: Option<String>,
    /// Whether it goes past the hooks.
    pub(super) skips_hooks: bool,
    /// Whether what it would do can be told from what is there now.
    pub(super) is_plain: bool,
}

/// Commands of Git that change nothing a commit would hold.
const LOOKS: [&str; 9] =
    ["status", "diff", "log", "show", "branch", "rev-parse", "remote", "fetch", "ls-files"];
/// Other programs of which the same is true.
const HARMLESS: [&str; 10] =
    ["cd", "export", "echo", "printf", "pwd", "ls", "cat", "true", "test", "set"];

/// Words that lead to the command behind them.
const BEFORE: [&str; 18] = [
    "sudo", "command", "env", "time", "exec", "if", "while", "until", "then", "do", "else", "!",
    "timeout", "nohup", "nice", "stdbuf", "setsid", "xargs",
];

/// Options of theirs behind which a word stands that is no command yet: `sudo -u NAME`.
const WITH_VALUE: [&str; 8] = ["-u", "--unset", "--user", "-g", "-s", "--signal", "-C", "--chdir"];
/// Variables that lead Git to another index, or to another repository than the folder's.
const ELSEWHERE: [&str; 3] = ["GIT_INDEX_FILE=", "GIT_DIR=", "GIT_WORK_TREE="];

/// How many lines within lines are looked into: nobody who means well writes more.
const NESTED: usize = 8;

/// Gives every commit, push and merge that a line asks for, in order.
pub(super) fn calls(line: &str, folder: &Path) -> Vec<Call> {
    calls_within(line, folder, NESTED)
}

fn calls_within(line: &str, folder: &Path, nested: usize) -> Vec<Call> {
    let (mut folder, mut nothing_changed) = (folder.to_owned(), true);
    // Whether a variable leads Git to other hooks: for one command, or exported for all that follow.
    let mut led_away = false;
    let mut calls = Vec::new();
    for words in commands(line) {
        let mut words = words.iter().map(String::as_str).peekable();
        let (mut leads, mut elsewhere, mut line) = (false, false, None);
        while let Some(word) =
            words.next_if(|word| is_before_a_command(word) || leads && word.starts_with('-'))
        {
            leads |= BEFORE.contains(&word);
            led_away |= leads_away(word);
            elsewhere |= ELSEWHERE.iter().any(|name| word.starts_with(name));
            match word {
                "-S" | "--split-string" if leads => line = words.next(),
                _ if WITH_VALUE.contains(&word) => _ = words.next_if(|value| *value != "git"),
                _ => {}
            }
        }
        let Some(program) = line.map(|_| "eval").or_else(|| words.next()) else { continue };
        let arguments: Vec<&str> = line.into_iter().chain(words).collect();
        let name = program.rsplit('/').next().unwrap_or_default();
        let found = match name {
            "cd" => {
                if let Some(to) = arguments.first() {
                    folder = folder.join(to);
                }
                continue;
            }
            "export" | "declare" | "typeset" => {
                led_away |= arguments.iter().any(|word| leads_away(word));
                continue;
            }
            "git" => call(&arguments, &folder).map(|call| vec![call]),
            _ => within(name, &arguments).map(|line| match nested.checked_sub(1) {
                Some(nested) => calls_within(&line, &folder, nested),
                None => Vec::new(),
            }),
        };
        if let Some(found) = found {
            calls.extend(found.into_iter().map(|call| Call {
                is_plain: call.is_plain && nothing_changed && !elsewhere,
                skips_hooks: call.skips_hooks || led_away,
                ..call
            }));
            nothing_changed = false;
        } else {
            nothing_changed &= match name {
                "git" => arguments.iter().any(|word| LOOKS.contains(word)),
                _ => HARMLESS.contains(&name),
            };
        }
    }
    calls
}

/// Gives the line that a program is handed to run, if it is a shell, or `eval`.
fn within(program: &str, arguments: &[&str]) -> Option<String> {
    match program {
        "eval" => Some(arguments.join(" ")),
        "sh" | "bash" | "dash" | "zsh" | "ksh" => {
            let flag = arguments.iter().position(|word| is_cluster(word) && word.contains('c'))?;
            let line = arguments[flag + 1..].iter().find(|word| **word != "--");
            line.map(|line| (*line).to_owned())
        }
        _ => None,
    }
}

/// Tells whether a word only leads to the command behind it; so does a number, such as that of `timeout 60`.
pub(super) fn is_before_a_command(word: &str) -> bool {
    let assigns = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    assigns || BEFORE.contains(&word) || word.starts_with(|c: char| c.is_ascii_digit())
}

/// The setting that tells Git where its hooks are, as Git compares it.
const HOOKS_PATH: &str = "core.hookspath";

/// Tells whether a setting is the one that leads Git to its hooks, or takes in a file that may; what is set to
/// it stands behind a `=`.
fn is_hooks_path(setting: &str) -> bool {
    let name = setting.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name == HOOKS_PATH || name == "include.path" || name.starts_with("includeif.")
}

/// Tells whether an assignment hands Git that setting through the environment.
fn leads_away(assignment: &str) -> bool {
    let Some((name, value)) = assignment.split_once('=') else { return false };
    if ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"].contains(&name) {
        return !["", "/dev/null"].contains(&value);
    }
    let told = name.starts_with("GIT_CONFIG_KEY_") || name == "GIT_CONFIG_PARAMETERS";
    told && value.to_ascii_lowercase().contains(HOOKS_PATH)
}

/// Tells whether `git config`, with these arguments, leads Git to other hooks.
fn moves_hooks(arguments: &[&str]) -> bool {
    let flag = |names: &[&str]| arguments.iter().any(|word| names.contains(word));
    if flag(&[
        "-h",
        "--help",
        "-l",
        "--list",
        "--get",
        "--get-all",
        "--get-regexp",
        "--get-urlmatch",
    ]) {
        return false;
    }
    let mut words = Vec::new();
    let mut rest = arguments.iter().copied();
    while let Some(word) = rest.next() {
        match word {
            "-f" | "--file" | "--blob" | "--type" | "--default" | "--comment" | "--value" => {
                rest.next();
            }
            _ if word.starts_with('-') => {}
            _ => words.push(word),
        }
    }
    let named = |place: usize| words.get(place).is_some_and(|word| is_hooks_path(word));
    let core =
        |place: usize| words.get(place).is_some_and(|word| word.eq_ignore_ascii_case("core"));
    match words.first().copied() {
        Some("set" | "unset") => named(1),
        Some("remove-section" | "rename-section") => core(1),
        Some("get" | "list" | "edit") => false,
        _ if flag(&["--remove-section", "--rename-section"]) => core(0),
        _ => named(0) && (words.len() > 1 || flag(&["--unset", "--unset-all"])),
    }
}

/// Reads what stands behind `git`.
fn call(arguments: &[&str], folder: &Path) -> Option<Call> {
    let (mut folder, mut skips_hooks) = (folder.to_owned(), false);
    let mut words = arguments.iter().copied();
    let word = loop {
        match words.next()? {
            "-C" => folder = folder.join(words.next()?),
            "-c" | "--config-env" => skips_hooks |= is_hooks_path(words.next()?),
            "--git-dir" | "--work-tree" | "--namespace" | "--attr-source" => _ = words.next()?,
            word if word.starts_with('-') => {
                let setting = word.strip_prefix("--config-env=");
                skips_hooks |= setting.is_some_and(is_hooks_path);
            }
            word => break word,
        }
    };
    if word == "config" && moves_hooks(&words.clone().collect::<Vec<_>>()) {
        let word = word.to_owned();
        return Some(Call { word, folder, branch: None, skips_hooks: true, is_plain: true });
    }
    if !["commit", "push", "merge", "pull"].contains(&word) {
        return None;
    }
    let (mut is_plain, mut branch, mut unverified) = (true, None, false);
    while let Some(argument) = words.next() {
        match argument {
            "--" => {
                is_plain &= words.next().is_none();
                break;
            }
            // Git takes any beginning of an option that is no other's, and the last one counts.
            signed if signed.ends_with("verify-signatures") => is_plain = false,
            skips if skips.starts_with("--no-veri") => unverified = true,
            again if again.starts_with("--veri") => unverified = false,
            "--dry-run" if word == "commit" || word == "push" => return None,
            "-n" if word == "push" => return None,
            valued if word == "commit" && OF_COMMIT.contains(&valued) => _ = words.next(),
            "-q" | "--quiet" | "-s" | "--signoff" | "--no-edit" | "--amend" | "-u" => {}
            "--set-upstream" | "origin" | "HEAD" if word == "push" => {}
            named if word == "push" && branch.is_none() && is_branch(named) => {
                branch = Some(named.to_owned());
            }
            cluster if word == "commit" && is_cluster(cluster) => {
                let flags = cluster[1..].split(VALUED).next().unwrap_or_default();
                unverified |= flags.contains('n');
                is_plain &= flags.chars().all(|flag| "qsn".contains(flag));
                if cluster.ends_with(['m', 'F', 'C', 'c', 't']) {
                    words.next();
                }
            }
            long if long.starts_with("--message=") || long.starts_with("--trailer=") => {}
            _ => is_plain = false,
        }
    }
    let skips_hooks = skips_hooks || unverified;
    // What is fetched can't be judged before it is there.
    if word == "pull" && !skips_hooks {
        return None;
    }
    Some(Call { word: word.to_owned(), folder, branch, skips_hooks, is_plain })
}

/// Options of `git commit` whose value is the next word.
const OF_COMMIT: [&str; 10] = [
    "-m",
    "--message",
    "-F",
    "--file",
    "--author",
    "--date",
    "--trailer",
    "--fixup",
    "--squash",
    "--cleanup",
];

/// Flags behind which the rest of the word is a value.
const VALUED: [char; 7] = ['m', 'F', 'C', 'c', 't', 'u', 'S'];

/// Tells whether a word names a branch, which goes where it is called the same.
fn is_branch(word: &str) -> bool {
    !word.starts_with(['-', '+']) && !word.contains(':')
}

fn is_cluster(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && !word.starts_with("--")
}

/// Takes a line apart into commands, and each into its words.
pub(super) fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words) = (Vec::new(), Vec::new());
    let mut word: Option<String> = None;
    let mut documents: Vec<String> = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => word.get_or_insert_default().extend(rest.by_ref().take_while(|c| *c != '\'')),
            '"' => quoted(&mut rest, word.get_or_insert_default()),
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some(next) => word.get_or_insert_default().push(next),
            },
            ' ' | '\t' => words.extend(word.take()),
            '$' if rest.peek() == Some(&'\'') => {}
            '#' if word.is_none() => while rest.next_if(|c| *c != '\n').is_some() {},
            '<' if rest.peek() == Some(&'<') => {
                rest.next();
                words.extend(word.take());
                documents.extend(document(&mut rest));
            }
            '<' | '>' => {
                // Which stream it is stands before it, and is no word.
                words.extend(word.take().filter(|word| !word.bytes().all(|b| b.is_ascii_digit())));
                target(&mut rest);
            }
            '&' if rest.peek() == Some(&'>') => words.extend(word.take()),
            '\n' if !documents.is_empty() => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
                documents.drain(..).for_each(|end| skip(&mut rest, &end));
            }
            ';' | '&' | '|' | '\n' | '(' | ')' | '{' | '}' | '`' => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    commands.push(words);
    commands.retain(|words: &Vec<String>| !words.is_empty());
    commands
}

/// Reads the word that ends a here-document; none of a here-string, which is a word like others.
fn document(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if rest.next_if_eq(&'<').is_some() {
        return None;
    }
    while rest.next_if(|c| ['-', ' ', '\t'].contains(c)).is_some() {}
    let mut end = String::new();
    while let Some(c) = rest.next_if(|c| !" \t\n;&|<>()".contains(*c)) {
        end.extend(Some(c).filter(|c| !['\'', '"', '\\'].contains(c)));
    }
    Some(end)
}

/// Passes over the lines of a here-document, and the one that ends it.
fn skip(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, end: &str) {
    while rest.peek().is_some() {
        let line: String = rest.by_ref().take_while(|c| *c != '\n').collect();
        if line.trim_start_matches('\t') == end {
            return;
        }
    }
}

/// Skips the file, or the stream, that something is redirected to.
fn target(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while rest.next_if(|c| ">&|".contains(*c)).is_some() {}
    while rest.next_if(|c| " \t".contains(*c)).is_some() {}
    while let Some(c) = rest.next_if(|c| !" \t\n;&|()<>".contains(*c)) {
        match c {
            '\'' => while rest.next().is_some_and(|c| c != '\'') {},
            '"' => quoted(rest, &mut String::new()),
            '\\' => _ = rest.next(),
            _ => {}
        }
    }
}

/// Reads up to the closing quote; a command within, such as a message from a here-document, is passed over.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) {
    let mut depth = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '\\' => word.extend(rest.next()),
            '(' if depth > 0 || word.ends_with('$') => depth += 1,
            ')' if depth > 0 => depth -= 1,
            '"' if depth == 0 => return,
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
