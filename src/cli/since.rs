//! `--since`: a moment, or how long ago.

use super::Stop;
use crate::policy::duration;
use crate::source::Moment;

/// Gives the moment that a text names: in RFC 3339, or as a length of time before `at`, such as `24h`.
pub(super) fn since(text: &str, at: Moment) -> Result<Moment, Stop> {
    if let Some(ago) = duration(text) {
        return Ok(at.plus(-ago));
    }
    text.parse().map_err(|_| {
        let help = "write a moment like `2026-11-21T14:30:00Z`, or how long ago: `24h`, `7d`";
        Stop::fault(format!("`{text}` is no moment"), help)
    })
}
