//! `orch completions`: the script by which a shell asks what could be typed, and the answer to it.

mod sources;

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap_complete::aot::Shell;
use clap_complete::env::{EnvCompleter, Shells};

use super::context::Context;
use super::output::{offer, show};
use super::{Arguments, Stop};

/// Print the script that makes a shell complete tasks, agents, stages and all commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Put one line where your shell begins:\n  \
                  bash        ~/.bashrc                   eval \"$(orch completions bash)\"\n  \
                  zsh         ~/.zshrc, behind compinit   eval \"$(orch completions zsh)\"\n  \
                  fish        ~/.config/fish/config.fish  orch completions fish | source\n  \
                  elvish      ~/.config/elvish/rc.elv     eval (orch completions elvish | slurp)\n  \
                  powershell  $PROFILE                    orch completions powershell | Out-String | \
                  Invoke-Expression\nThe script asks the `orch` in your path at each Tab, so it need not be \
                  made anew.\nExample: orch completions bash")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The script sets this for a question, and nothing else does.
const VARIABLE: &str = "ORCH_COMPLETE";
/// Bash's own script parts words from each other by this, which no word has.
const BETWEEN: &str = "\u{b}";

impl Completions {
    pub(super) fn run(self, _context: &Context) -> Result<(), Stop> {
        let mut script = Vec::new();
        let written = shell(&self.shell.to_string())
            .expect("both lists of shells are the same")
            .write_registration(VARIABLE, "orch", "orch", "orch", &mut script);
        written.expect("a Vec takes all that is written to it");
        show(String::from_utf8_lossy(&script));
        Ok(())
    }
}

fn shell(name: &str) -> Option<&'static dyn EnvCompleter> {
    const SHELLS: &[&dyn EnvCompleter] = Shells::builtins().0;
    SHELLS.iter().copied().find(|shell| shell.is(name))
}

/// Answers a shell's question, if the process was started for one: `ORCH_COMPLETE=SHELL orch -- orch WORD…`, the
/// words as they stand on the shell's line. The variable alone changes nothing: one that was left behind must
/// not keep a hook from judging, nor make `orch -- guard` pass without a word, which is refused as ever. What
/// can't be answered is not answered, and never an error.
pub(super) fn answered() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != "--") {
        return false;
    }
    let words: Vec<OsString> = arguments.collect();
    let shell = std::env::var(VARIABLE).ok().and_then(|name| shell(&name));
    let (Some(shell), Some(program)) = (shell, words.first()) else { return false };
    let mut command = Arguments::command();
    // A shell's line begins with the program, and never with what it is to do.
    if program.to_str().is_some_and(|word| command.find_subcommand(word).is_some()) {
        return false;
    }
    command = sources::attach(command, "");
    if let Some(answer) = answer(shell, command, words) {
        let _nobody_listens = offer(answer);
    }
    true
}

fn answer(
    shell: &dyn EnvCompleter,
    mut command: clap::Command,
    words: Vec<OsString>,
) -> Option<String> {
    let folder = std::env::current_dir().ok();
    if shell.name() == "bash" {
        return for_bash(&mut command, words, folder.as_deref());
    }
    let mut answer = Vec::new();
    shell.write_complete(&mut command, words, folder.as_deref(), &mut answer).ok()?;
    String::from_utf8(answer).ok()
}

/// Bash takes `workflow:idea` and `--format=json` for three words each, and replaces the last alone: they are
/// put together again, and the part that stands already is left out of the answer.
fn for_bash(
    command: &mut clap::Command,
    words: Vec<OsString>,
    folder: Option<&std::path::Path>,
) -> Option<String> {
    let index: usize = std::env::var("_CLAP_COMPLETE_INDEX").ok()?.parse().ok()?;
    let words: Vec<String> =
        words.into_iter().take(index + 1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (words, stands) = joined(&words);
    let last = words.len().checked_sub(1)?;
    let words = words.into_iter().map(OsString::from).collect();
    let found = clap_complete::engine::complete(command, words, last, folder).ok()?;
    let found = found.iter().filter_map(|word| word.get_value().to_str()?.get(stands..));
    Some(found.collect::<Vec<_>>().join(BETWEEN))
}

/// Puts words together that a shell took apart at `:` and `=`; gives how much of the last stands before what
/// the shell would replace.
fn joined(words: &[String]) -> (Vec<String>, usize) {
    let parts = |word: &str| word == ":" || word == "=";
    let (mut whole, mut stands): (Vec<String>, usize) = (Vec::new(), 0);
    let mut goes_on = false;
    for (number, word) in words.iter().enumerate() {
        let joins = goes_on || (number > 1 && parts(word));
        goes_on = number > 1 && parts(word);
        match whole.last_mut().filter(|_| joins) {
            Some(before) => {
                stands = if goes_on { before.len() + word.len() } else { before.len() };
                before.push_str(word);
            }
            None => {
                whole.push(word.clone());
                stands = 0;
            }
        }
    }
    (whole, stands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> (String, usize) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (words, stands) = joined(&words);
        (words.join(" "), stands)
    }

    #[test]
    fn what_bash_took_apart_is_put_together() {
        assert_eq!(told("orch halt --scope lane : A"), ("orch halt --scope lane:A".into(), 5));
        assert_eq!(told("orch halt --scope lane :"), ("orch halt --scope lane:".into(), 5));
        assert_eq!(told("orch log --format = js"), ("orch log --format=js".into(), 9));
        assert_eq!(told("orch status st"), ("orch status st".into(), 0));
    }
}
