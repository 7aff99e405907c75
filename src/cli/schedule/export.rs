//! `orch schedule export`: the schedule for other schedulers.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::Office;
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::files::write_whole;
use crate::cli::output::{say, show};
use crate::ops::schedule::export::{Exported, Setting, crontab, github, kubernetes, systemd};

/// Write the schedule for another scheduler.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All of them wake a job whenever it may be due, and call `orch schedule run-once JOB \
                        --scheduled`, which\nknows holidays, short days and daylight \
                        saving.\nExample: orch schedule export --to github --output \
                        .github/workflows/orch-schedule.yml"
)]
pub(in crate::cli) struct Export {
    /// For whom
    #[arg(long, value_enum)]
    to: To,
    /// Write to a file, or into a folder (systemd has two files a job); by default to standard output
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// The program on the machine that runs the jobs; by default this one for systemd and crontab
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// The image that has orch, for kubernetes
    #[arg(long, value_name = "IMAGE", default_value = "orch:latest")]
    image: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// A workflow of GitHub Actions, in UTC
    Github,
    /// Timers and services
    Systemd,
    /// Lines for a machine whose clock goes by UTC
    Crontab,
    /// CronJobs
    Kubernetes,
}

impl Export {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let office = Office::of(context)?;
        let setting = self.setting(context, &office)?;
        let schedule = &office.policy.schedule;
        let files = match self.to {
            To::Github => github(schedule, &setting),
            To::Systemd => systemd(schedule, &setting),
            To::Crontab => crontab(schedule, &setting),
            To::Kubernetes => kubernetes(schedule, &setting),
        };
        let Some(output) = &self.output else {
            print(&files);
            return Ok(());
        };
        let place = context.directory().join(output);
        let folder = files.len() > 1 || place.is_dir();
        for (name, text) in &files {
            let (file, shown) = match folder {
                true => (place.join(name), output.join(name)),
                false => (place.clone(), output.clone()),
            };
            write_whole(&file, text)?;
            say(format!("wrote {}", shown.display()));
        }
        Ok(())
    }

    fn setting(&self, context: &Context, office: &Office) -> Result<Setting, Stop> {
        let top = office.view.repository.work_dir().unwrap_or(context.directory());
        let own = match (self.to, std::env::current_exe()) {
            (To::Systemd | To::Crontab, Ok(own)) => text(&own)?,
            _ => "orch".to_owned(),
        };
        Ok(Setting {
            project: office.policy.project.clone(),
            directory: text(top)?,
            program: self.program.as_deref().map_or(Ok(own), text)?,
            image: self.image.clone(),
            from: context.at(),
        })
    }
}

/// Gives a path as it may stand in a line of another program's file.
fn text(path: &Path) -> Result<String, Stop> {
    let plain = path.to_str().filter(|text| !text.contains(char::is_control));
    plain.map(str::to_owned).ok_or_else(|| {
        let message =
            format!("{} can't be written into a file for another program", path.display());
        Stop::fault(message, "work in a folder whose name is plain text")
    })
}

fn print(files: &[Exported]) {
    match files {
        [(_, text)] => show(text),
        _ => {
            for (name, text) in files {
                show(format!("# {name}\n{text}\n"));
            }
        }
    }
}
