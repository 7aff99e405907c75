//! `orch man`: the manual, a page for each command, from the same definitions as `--help`.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use super::context::Context;
use super::files::{output_folder, write_among};
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
        let folder = output_folder(context, &self.output)?;
        let day = context.at().to_string();
        let pages = write(&command, &folder, "orch", day.get(..10).unwrap_or_default())?;
        say(format!("wrote {pages} pages into {}", self.output.display()));
        Ok(())
    }
}

/// Writes the page of a command and those of all below it; gives how many there are.
fn write(command: &Command, folder: &Path, name: &str, day: &str) -> Result<usize, Stop> {
    let page = clap_mangen::Man::new(command.clone().display_name(name.to_owned()))
        .title(name.to_uppercase())
        .date(day)
        .source(concat!("orch ", env!("CARGO_PKG_VERSION")))
        .manual("orch");
    let mut text = Vec::new();
    page.render(&mut text).expect("a Vec takes all that is written to it");
    let text = typeset(&String::from_utf8_lossy(&text));
    write_among(folder, &format!("{name}.1"), &text)?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages += write(below, folder, &format!("{name}-{}", below.get_name()), day)?;
    }
    Ok(pages)
}

/// Gives a page as every typesetter reads it: in ASCII, and with the lines of the notes as they are in `--help`.
fn typeset(page: &str) -> String {
    let (mut text, mut in_notes) = (String::with_capacity(page.len()), false);
    for line in page.lines() {
        match line.strip_prefix(".SH ") {
            Some("EXTRA") => {
                in_notes = true;
                text.push_str(".SH NOTES\n");
                continue;
            }
            Some(_) => in_notes = false,
            // A line that begins with a blank stands by itself anyway.
            None if in_notes && !line.starts_with(['.', ' ']) && !text.ends_with("NOTES\n") => {
                text.push_str(".br\n");
            }
            None => {}
        }
        for c in line.chars() {
            match c.is_ascii() {
                true => text.push(c),
                false => text.push_str(&format!("\\[u{:04X}]", u32::from(c))),
            }
        }
        text.push('\n');
    }
    text
}
