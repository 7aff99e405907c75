//! Operations: what is due, how things stand, what is done about trouble, and who hears of it.

pub mod schedule;
mod alert;
#[cfg(feature = "notify")]
mod courier;
mod letter;
mod remembered;
mod routes;

pub use alert::{Alert, INCIDENT, Source, incident_severity, noticed, raised};
#[cfg(feature = "notify")]
pub use courier::deliver;
pub use letter::{Envelope, mail_subject, mail_text, slack, webhook};
pub use remembered::{Due, KEPT, Remembered, Sent, State};
pub use routes::{Address, Route, Routes, SEVERITIES, severity};

use std::fmt;

/// Why a channel did not take an alert, in words that hold no secret: neither the address nor what a
/// library or a server said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// Why.
    pub reason: String,
    /// Whether the receiver answered, so that it may take another alert.
    pub answered: bool,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// How often an alert is tried.
pub const ATTEMPTS: u32 = 3;

/// Says that this program can send nothing.
#[cfg(not(feature = "notify"))]
pub fn deliver(
    _route: &Route,
    _address: &Address,
    _envelope: &Envelope<'_>,
    _attempts: u32,
    _wait: &dyn Fn(std::time::Duration),
) -> Result<u32, Undelivered> {
    let reason = "sending is not built in: build orch with the feature `notify`".into();
    Err(Undelivered { reason, answered: false })
}
