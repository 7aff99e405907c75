//! `orch man`: the manual, a page for each command, from the same definitions as `--help`.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use super::context::Context;
use super::ledger::write_output;
use super::output::say;
use super::{Arguments, Stop};

/// Write the manual, a page for each command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Install the pages where `man` looks for section 1, such as ~/.local/share/man/man1; then read \
                  `man orch-run-start`.\nExample: orch man --output ~/.local/share/man/man1"
)]
pub(super) struct Man {
    /// Write the pages into this folder
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

impl Man {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let mut command = Arguments::command().disable_help_subcommand(true);
        command.build();
        let folder = context.directory().join(&self.output);
        let pages = write(&command, &folder, "orch")?;
        say(format!("wrote {pages} pages into {}", self.output.display()));
        Ok(())
    }
}

/// Writes the page of a command and those of all below it; gives how many there are.
fn write(command: &Command, folder: &Path, name: &str) -> Result<usize, Stop> {
    let page = clap_mangen::Man::new(command.clone().display_name(name.to_owned()));
    let mut text = Vec::new();
    page.render(&mut text).expect("a Vec takes all that is written to it");
    write_output(&folder.join(format!("{name}.1")), &escaped(&String::from_utf8_lossy(&text)))?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages += write(below, folder, &format!("{name}-{}", below.get_name()))?;
    }
    Ok(pages)
}

/// Writes what is not ASCII as every typesetter reads it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii() {
            true => escaped.push(c),
            false => escaped.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    escaped
}
