//! Moments on a line: where each lies, and which round ones are named.

use super::element::{Element, element};
use crate::source::Moment;
use chrono::TimeDelta;

/// Lengths between two named moments, in seconds: 1 second to ten years.
const STEPS: [i64; 24] = [
    1,
    5,
    15,
    30,
    60,
    300,
    900,
    1_800,
    3_600,
    10_800,
    21_600,
    43_200,
    DAY,
    2 * DAY,
    WEEK,
    2 * WEEK,
    4 * WEEK,
    8 * WEEK,
    13 * WEEK,
    26 * WEEK,
    52 * WEEK,
    104 * WEEK,
    260 * WEEK,
    520 * WEEK,
];
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;

/// How many moments are named at most, so that they have room on a phone.
const NAMED: i64 = 4;

/// How wide what takes no time is, in hundredths of the line.
const THINNEST: f64 = 0.5;

/// A line from one moment to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: Moment,
    seconds: i64,
}

impl Scale {
    /// Takes the ends of the line; one of no length is a second long.
    pub(super) fn new(from: Moment, to: Moment) -> Self {
        Scale { from, seconds: to.since(from).num_seconds().max(1) }
    }

    /// Gives where a moment lies, in hundredths of the line.
    pub(super) fn share(&self, at: Moment) -> f64 {
        let behind = at.since(self.from).num_seconds().clamp(0, self.seconds);
        100.0 * behind as f64 / self.seconds as f64
    }

    /// Gives the same as an attribute says it.
    pub(super) fn place(&self, at: Moment) -> String {
        percent(self.share(at))
    }

    /// Gives how wide the time between two moments is; never so little that nobody would see it.
    pub(super) fn width(&self, from: Moment, to: Moment) -> String {
        percent((self.share(to) - self.share(from)).max(THINNEST))
    }

    /// Draws the round moments below the line.
    pub(super) fn axis(&self) -> Element {
        let ticks = self.ticks().into_iter().flat_map(|(at, name)| {
            let share = self.share(at);
            let anchor = match share {
                share if share < 8.0 => "start",
                share if share > 92.0 => "end",
                _ => "middle",
            };
            let x = percent(share);
            let line = element("line").class("tick").with("x1", &x).with("x2", &x);
            let line = line.with("y1", "0").with("y2", "5");
            let text = element("text").with("x", &x).with("y", "16").with("text-anchor", anchor);
            [line, text.words(name)]
        });
        let axis = element("svg").class("track axis").with("aria-hidden", "true");
        let line = element("line").class("tick").with("x1", "0").with("x2", "100%");
        axis.put(line.with("y1", "0.5").with("y2", "0.5")).put_all(ticks)
    }

    /// Gives the round moments on the line, with what they are called.
    fn ticks(&self) -> Vec<(Moment, String)> {
        let epoch = epoch();
        // With seconds, or a year, a name takes twice the room.
        let long = |step: i64| !(60..26 * WEEK).contains(&step);
        let room = |step: i64| if long(step) { NAMED / 2 } else { NAMED };
        let step = STEPS.into_iter().find(|step| self.seconds / step < room(*step));
        let step = step.unwrap_or(STEPS[STEPS.len() - 1]);
        // The first of January 1970 was a Thursday; weeks begin on a Monday.
        let shift = if step >= WEEK { 4 * DAY } else { 0 };
        let begin = self.from.since(epoch).num_seconds() - shift;
        let first =
            begin.div_euclid(step) * step + if begin.rem_euclid(step) > 0 { step } else { 0 };
        let all = (0..=NAMED).map(|count| first + count * step);
        let within = all.take_while(|seconds| *seconds <= begin + self.seconds);
        let moments = within.map(|seconds| epoch.plus(TimeDelta::seconds(seconds + shift)));
        moments.map(|at| (at, named(at, step))).collect()
    }
}

fn named(at: Moment, step: i64) -> String {
    let text = at.to_string();
    match step {
        step if step < 60 => text[11..19].to_owned(),
        step if step < DAY => text[11..16].to_owned(),
        step if step < 26 * WEEK => text[5..10].to_owned(),
        _ => text[..7].to_owned(),
    }
}

fn epoch() -> Moment {
    "1970-01-01T00:00:00Z".parse().expect("a moment")
}

/// A share as an attribute says it, without digits that nobody sees.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{share:.2}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(from: &str, to: &str) -> Vec<String> {
        let moment = |text: &str| -> Moment { text.parse().expect("a moment") };
        let scale = Scale::new(moment(from), moment(to));
        scale.ticks().into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn round_moments_are_named() {
        let day = "2026-11-21T10:00:00Z";
        assert_eq!(ticks(day, "2026-11-21T10:40:00Z"), ["10:00", "10:15", "10:30"]);
        assert_eq!(ticks(day, "2026-11-22T11:00:00Z"), ["12:00", "00:00"]);
        assert_eq!(ticks(day, "2026-12-10T00:00:00Z"), ["11-23", "11-30", "12-07"], "Mondays");
        assert_eq!(ticks(day, "2029-12-10T00:00:00Z").len(), 2);
        assert_eq!(ticks(day, day), ["10:00:00", "10:00:01"]);
    }

    #[test]
    fn shares_are_short_and_stay_on_the_line() {
        let all = [0.0, 100.0, 33.3333, 12.5].map(percent);
        assert_eq!(all, ["0%", "100%", "33.33%", "12.5%"]);
        let at = |text: &str| -> Moment { text.parse().expect("a moment") };
        let scale = Scale::new(at("2026-11-21T10:00:00Z"), at("2026-11-21T11:00:00Z"));
        assert_eq!(scale.place(at("2026-11-21T09:00:00Z")), "0%");
        assert_eq!(scale.place(at("2026-11-21T12:00:00Z")), "100%");
        assert_eq!(scale.width(at("2026-11-21T10:15:00Z"), at("2026-11-21T10:30:00Z")), "25%");
        assert_eq!(scale.width(at("2026-11-21T10:15:00Z"), at("2026-11-21T10:15:00Z")), "0.5%");
    }
}
