//! Lines for a crontab, in UTC: what a cron makes of daylight saving, or of `CRON_TZ`, differs.

use super::{Exported, Setting, line};
use crate::calendar::Zone;
use crate::ops::schedule::{Timetable, firings};
use crate::policy::Schedule;

/// Gives the lines. The machine's clock must go by UTC, unless its cron knows `CRON_TZ`; at a wrong time
/// nothing runs, and nothing runs twice.
pub fn crontab(schedule: &Schedule, setting: &Setting) -> Vec<Exported> {
    let timetable = Timetable::of(schedule);
    let mut text = String::from(
        "# The schedule, by `orch schedule export --to crontab`. The lines are in UTC: a cron that does not \
         know\n# CRON_TZ needs a machine whose clock goes by UTC. Holidays, short days and daylight \
         saving are\n# decided by orch.\nCRON_TZ=UTC\n",
    );
    for (name, job) in &schedule.jobs {
        text.push_str(&format!("# {name}: {}\n", line(&job.title)));
        for firing in firings(&timetable, job, &Zone::utc(), setting.from) {
            let (folder, program) = (quoted(&setting.directory), quoted(&setting.program));
            let cron = firing.cron();
            let call = format!("cd {folder} && {program} schedule run-once {name} --scheduled");
            text.push_str(&format!("{cron} {call}\n"));
        }
    }
    vec![("orch.crontab".into(), text)]
}

/// Gives a word as a shell reads it within a crontab, which takes `%` for the end of a line.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''").replace('%', "\\%"))
}
