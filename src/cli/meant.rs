//! What somebody meant who typed a command that there is not.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::record::did_you_mean;

/// Words that other tools have for what is called otherwise here.
const ELSEWHERE: [(&str, &str); 12] = [
    ("board", "status"),
    ("check", "guard"),
    ("config", "schema policy"),
    ("create", "task open"),
    ("doctor", "hooks status"),
    ("fsck", "verify"),
    ("history", "log"),
    ("install", "hooks install"),
    ("ls", "task list"),
    ("new", "task open"),
    ("todo", "next"),
    ("validate", "verify"),
];

/// Adds to the refusal of an unknown command which one may have been meant: `orch start` for `orch run start`,
/// or `orch hand off` for `orch handoff`.
pub(super) fn with_what_was_meant(
    mut error: clap::Error,
    command: &Command,
    words: &[String],
) -> clap::Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let found = meant(command, word, words);
    if !found.is_empty() {
        let found = found.iter().map(|found| format!("did you mean `orch {found}`?"));
        let found = found.map(StyledStr::from).collect();
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(found));
    }
    error
}

/// Gives the commands that an unknown word may stand for, where the words around it tell.
fn meant(command: &Command, word: &str, words: &[String]) -> Vec<String> {
    let place = words.iter().position(|known| known == word).unwrap_or_default();
    let next = words.get(place + 1).map(|next| format!("{word}{next}"));
    if let Some(joined) = next.filter(|joined| command.find_subcommand(joined).is_some()) {
        return vec![joined];
    }
    // Below a command, its own suggestions are the better ones.
    if words
        .get(..place)
        .is_some_and(|before| before.iter().any(|word| command.find_subcommand(word).is_some()))
    {
        return Vec::new();
    }
    if let Some((_, here)) = ELSEWHERE.iter().find(|(there, _)| *there == word) {
        return vec![(*here).to_owned()];
    }
    let groups = || command.get_subcommands().filter(|group| group.get_name() != "help");
    let names = groups().map(Command::get_name);
    if did_you_mean(word, names).is_some() {
        return Vec::new();
    }
    let below = groups().flat_map(|group| {
        group.get_subcommands().map(move |below| (group.get_name(), below.get_name()))
    });
    below.filter(|(_, name)| *name == word).map(|(group, name)| format!("{group} {name}")).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    fn told(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        meant(&Arguments::command(), &words[0], &words)
    }

    #[test]
    fn a_command_of_another_place_is_found() {
        assert_eq!(told("start strat-001"), ["run start", "procedure start"]);
        assert_eq!(told("hand off create"), ["handoff"]);
        assert_eq!(told("doctor"), ["hooks status"]);
        assert!(told("statsu").is_empty() && told("blub").is_empty());
    }

    #[test]
    fn every_word_leads_to_a_command() {
        for (word, here) in ELSEWHERE {
            let command = Arguments::command();
            assert!(command.find_subcommand(word).is_none(), "{word} is a command here");
            let first = here.split(' ').next().unwrap_or_default();
            assert!(command.find_subcommand(first).is_some(), "{here}");
        }
    }
}
