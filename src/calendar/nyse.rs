//! The days on which the New York Stock Exchange is closed, or closes early, by its rules (R003-20).
//!
//! The rules are those that the exchange follows since 1998, and make no difference between years
//! that are over and years to come. What no rule gives stands in two short tables.

use jiff::civil::{Date, Weekday, date};

/// Martin Luther King Jr. Day is kept from this year on.
const KING: i16 = 1998;
/// Juneteenth is kept from this year on.
const JUNETEENTH: i16 = 2022;
/// Until the year before, the day behind a Thursday's Independence Day was the short one.
const EVE_ON_WEDNESDAY: i16 = 2013;

/// Days on which it was closed and no rule says so.
const CLOSED: [(i16, i8, i8, &str); 12] = [
    (1985, 9, 27, "Hurricane Gloria"),
    (1994, 4, 27, "Mourning for Richard Nixon"),
    (2001, 9, 11, "September 11 attacks"),
    (2001, 9, 12, "September 11 attacks"),
    (2001, 9, 13, "September 11 attacks"),
    (2001, 9, 14, "September 11 attacks"),
    (2004, 6, 11, "Mourning for Ronald Reagan"),
    (2007, 1, 2, "Mourning for Gerald R. Ford"),
    (2012, 10, 29, "Hurricane Sandy"),
    (2012, 10, 30, "Hurricane Sandy"),
    (2018, 12, 5, "Mourning for George H. W. Bush"),
    (2025, 1, 9, "Mourning for Jimmy Carter"),
];

/// Days on which it closed early and no rule says so: Fridays behind Christmas.
const SHORT: [(i16, i8, i8, &str); 2] =
    [(1997, 12, 26, "Day after Christmas"), (2003, 12, 26, "Day after Christmas")];

/// Gives why it is closed on a day other than a weekend; none if it trades.
pub(super) fn closed(day: Date) -> Option<&'static str> {
    let year = day.year();
    let fixed = |of, name, observed| kept(year, day.month(), of, name, observed);
    let nth = |which, weekday| nth(year, day.month(), which, weekday);
    // Every holiday is kept within its month; New Year's Day on a Saturday, the eve of which ends an
    // accounting year, is not kept.
    let (due, name) = match day.month() {
        1 if year >= KING && day.day() > 2 => {
            (nth(3, Weekday::Monday), "Martin Luther King Jr. Day")
        }
        1 => fixed(1, "New Year's Day", "New Year's Day (observed)"),
        2 => (nth(3, Weekday::Monday), "Washington's Birthday"),
        3 | 4 => (good_friday(year), "Good Friday"),
        5 => (nth(-1, Weekday::Monday), "Memorial Day"),
        6 if year >= JUNETEENTH => fixed(19, "Juneteenth", "Juneteenth (observed)"),
        7 => fixed(4, "Independence Day", "Independence Day (observed)"),
        9 => (nth(1, Weekday::Monday), "Labor Day"),
        11 => (thanksgiving(year), "Thanksgiving Day"),
        12 => fixed(25, "Christmas Day", "Christmas Day (observed)"),
        _ => (None, ""),
    };
    let found = (due == Some(day)).then_some(name);
    found.or_else(|| listed(&CLOSED, day))
}

/// Gives why it closes early, at 13:00; none if it does not, or is closed.
pub(super) fn early(day: Date) -> Option<&'static str> {
    let (year, weekday) = (day.year(), day.weekday());
    let before_friday = !matches!(weekday, Weekday::Friday | Weekday::Saturday | Weekday::Sunday);
    let found = match (day.month(), day.day()) {
        (7, 3) if before_friday && (weekday != Weekday::Wednesday || year >= EVE_ON_WEDNESDAY) => {
            Some("Day before Independence Day")
        }
        (7, 5) if weekday == Weekday::Friday && year < EVE_ON_WEDNESDAY => {
            Some("Day after Independence Day")
        }
        (12, 24) if before_friday => Some("Christmas Eve"),
        (11, _) if day.yesterday().ok() == thanksgiving(year) => Some("Day after Thanksgiving"),
        _ => None,
    };
    found.or_else(|| listed(&SHORT, day))
}

/// Gives the day on which a date is kept: on the Friday before a Saturday, on the Monday behind a Sunday.
fn kept(
    year: i16,
    month: i8,
    day: i8,
    name: &'static str,
    observed: &'static str,
) -> (Option<Date>, &'static str) {
    let Ok(day) = Date::new(year, month, day) else { return (None, name) };
    match day.weekday() {
        Weekday::Saturday => (day.yesterday().ok(), observed),
        Weekday::Sunday => (day.tomorrow().ok(), observed),
        _ => (Some(day), name),
    }
}

fn thanksgiving(year: i16) -> Option<Date> {
    nth(year, 11, 4, Weekday::Thursday)
}

fn nth(year: i16, month: i8, nth: i8, weekday: Weekday) -> Option<Date> {
    Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
}

fn good_friday(year: i16) -> Option<Date> {
    easter(year)?.yesterday().ok()?.yesterday().ok()
}

/// Gives Easter Sunday of the Gregorian calendar (the rule of Meeus, Jones and Butcher).
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let moved = (century + 8) / 25;
    let epact =
        (19 * golden + century - century / 4 - (century - moved + 1) / 3 + 15).rem_euclid(30);
    let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4).rem_euclid(7);
    let late = (golden + 11 * epact + 22 * sunday) / 451;
    let days = epact + sunday - 7 * late + 114;
    let (month, day) = (i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?);
    Date::new(i16::try_from(year).ok()?, month, day).ok()
}

fn listed(table: &[(i16, i8, i8, &'static str)], day: Date) -> Option<&'static str> {
    let same = |(year, month, of, _): &&(i16, i8, i8, _)| date(*year, *month, *of) == day;
    table.iter().find(same).map(|(.., name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R003-20: the exchange's own days of thirty-one years, all of them and no others.
    #[test]
    fn the_rules_give_the_published_days() {
        let published = include_str!("../../fixtures/calendar/nyse.csv");
        let mut told = String::from("date,kind,name\n");
        let mut day = date(2000, 1, 1);
        while day < date(2031, 1, 1) {
            let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            let (closed, early) = (closed(day), early(day));
            assert!(closed.is_none() || !weekend, "{day} is kept on a weekend");
            assert!(closed.is_none() || early.is_none(), "{day} is closed, and closes early");
            for (kind, name) in [("closed", closed), ("early_close", early)] {
                if let Some(name) = name {
                    told.push_str(&format!("{day},{kind},{name}\n"));
                }
            }
            day = day.tomorrow().expect("far from the end");
        }
        assert_eq!(told, published);
    }

    /// Good Friday falls on every day from 20 March to 23 April; these years are the corners.
    #[test]
    fn easter_moves_as_the_church_says() {
        for (year, month, day) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (1954, 4, 18),
            (1981, 4, 19),
            (2049, 4, 18),
            (2285, 3, 22),
        ] {
            assert_eq!(easter(year), Some(date(year, month, day)));
        }
    }
}
