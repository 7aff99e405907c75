//! What each channel has taken already, so that everything is sent once, and its end once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Source};
use crate::source::{Digest, Moment};

/// How long what was raised, or is resolved, is remembered, and a channel that did not take it tried.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// Whether something is so, or no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is so.
    Raised,
    /// It was so.
    Resolved,
}

/// What a channel took: a line of the file that remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The channel.
    pub channel: String,
    /// What was said of it.
    pub state: State,
    /// How many times it has come up, from 1.
    pub times: u32,
    /// When it was sent.
    pub sent_at: Moment,
    /// The alert.
    pub alert: Alert,
}

/// What is to be sent to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whether it is so, or no more.
    pub state: State,
    /// How many times it has come up, from 1.
    pub times: u32,
    /// The alert.
    pub alert: Alert,
}

impl Due {
    /// Gives what a receiver knows the same message by, should it get it twice.
    pub fn key(&self) -> String {
        let times = if self.times > 1 { format!("-{}", self.times) } else { String::new() };
        let end = if self.state == State::Resolved { "-resolved" } else { "" };
        format!("{}{times}{end}", self.alert.fingerprint.hex())
    }
}

/// What was sent, as far as it matters still.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    latest: BTreeMap<(String, Digest), Sent>,
}

impl Remembered {
    /// Reads the lines of the file. One that can't be read is none: at worst, something is sent twice.
    pub fn read(text: &str) -> Self {
        let mut remembered = Remembered::default();
        for sent in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            remembered.add(sent);
        }
        remembered
    }

    /// Remembers that a channel took something.
    pub fn add(&mut self, sent: Sent) {
        self.latest.insert((sent.channel.clone(), sent.alert.fingerprint), sent);
    }

    /// Gives what a channel has not heard of: what is so now, and what was so when it last heard and is
    /// not any more, the worst first. `whole` says whether `now` is everything that is so, or only what was just raised.
    pub fn due(
        &self,
        channel: &str,
        now: &[Alert],
        wanted: impl Fn(&Alert) -> bool,
        whole: bool,
    ) -> Vec<Due> {
        let current: BTreeSet<Digest> = now.iter().map(|alert| alert.fingerprint).collect();
        let ended = self.latest.values().filter(|sent| {
            let of_ledgers = sent.alert.source != Source::Raised;
            whole && of_ledgers && sent.channel == channel && sent.state == State::Raised
        });
        let ended = ended.filter(|sent| !current.contains(&sent.alert.fingerprint));
        let ended = ended.map(|sent| Due {
            state: State::Resolved,
            times: sent.times,
            alert: sent.alert.clone(),
        });
        let new = now.iter().filter(|alert| wanted(alert)).filter_map(|alert| {
            let times = match self.latest.get(&(channel.to_owned(), alert.fingerprint)) {
                Some(sent) if sent.state == State::Raised => return None,
                Some(sent) => sent.times + 1,
                None => 1,
            };
            Some(Due { state: State::Raised, times, alert: alert.clone() })
        });
        let mut due: Vec<Due> = new.chain(ended).collect();
        due.sort_by_key(|due| Reverse(due.alert.severity));
        due
    }

    /// Forgets what is over for long, and gives the rest as lines.
    pub fn pruned(&mut self, at: Moment) -> String {
        self.latest.retain(|_, sent| {
            let over = sent.state == State::Resolved || sent.alert.source == Source::Raised;
            !over || at.since(sent.sent_at) < KEPT
        });
        let line = |sent: &Sent| serde_json::to_string(sent).expect("an alert is text");
        self.latest.values().map(|sent| line(sent) + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::AlertSeverity;

    fn at(hours: i64) -> Moment {
        let begin: Moment = "2026-11-21T14:30:00Z".parse().expect("a moment");
        begin.plus(TimeDelta::hours(hours))
    }

    fn alert(word: &str, source: Source) -> Alert {
        let action = "a".parse().expect("a name");
        let plain = Alert::plain((action, AlertSeverity::Error, source), word, at(0));
        Alert { title: word.into(), ..plain }
    }

    /// Takes everything that is due, and tells it in words.
    fn take(remembered: &mut Remembered, now: &[Alert], whole: bool) -> Vec<String> {
        let due = remembered.due("pager", now, |_| true, whole);
        due.into_iter()
            .map(|Due { state, times, alert }| {
                let told = format!("{} {state:?} {times}", alert.title);
                let (channel, sent_at) = ("pager".to_owned(), at(0));
                remembered.add(Sent { channel, state, times, sent_at, alert });
                told
            })
            .collect()
    }

    /// Each is told once, its end once, and anew when it comes up again; also through the file.
    #[test]
    fn everything_is_told_once() {
        let (halt, said) = (alert("halt", Source::Halt), alert("said", Source::Raised));
        let now = [halt.clone(), said.clone()];
        let mut memory = Remembered::default();
        assert_eq!(take(&mut memory, &now, true), ["halt Raised 1", "said Raised 1"]);
        assert_eq!(take(&mut memory, &now, true), Vec::<String>::new());
        let mut memory = Remembered::read(&format!("torn{{\n\n{}", memory.pruned(at(1))));
        assert_eq!(take(&mut memory, &now, true), Vec::<String>::new());
        assert_eq!(take(&mut memory, &[], false), Vec::<String>::new(), "not all was looked at");
        assert_eq!(take(&mut memory, &[], true), ["halt Resolved 1"], "what was said is not over");
        assert_eq!(take(&mut memory, &[], true), Vec::<String>::new());
        assert_eq!(take(&mut memory, &now, true), ["halt Raised 2"]);
        let keys = memory.due("desk", &now, |_| true, true);
        assert_eq!(keys.len(), 2, "another channel has heard of nothing");
    }

    /// What is over is forgotten after a month, and what stands never.
    #[test]
    fn what_is_over_is_forgotten() {
        let mut memory = Remembered::default();
        let now = [alert("halt", Source::Halt), alert("said", Source::Raised)];
        take(&mut memory, &now, true);
        assert_eq!(memory.pruned(at(24)).lines().count(), 2);
        assert_eq!(memory.pruned(at(24 * 31)).lines().count(), 1);
    }
}
