//! Sends an alert, and tries again where that may help; what goes wrong is told without the address.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{Message, SmtpTransport, Transport as _};
use ureq::http::Uri;

use super::Undelivered;
use super::letter::{Envelope, mail_subject, mail_text, slack, webhook};
use super::routes::{Address, Route};
use crate::policy::ChannelKind;

/// How long it waits before it tries again, doubling.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest that it waits because a server asks for it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why one attempt failed, and whether another may help.
struct Setback {
    reason: String,
    again: bool,
    answered: bool,
    wait: Option<Duration>,
}

/// Sends an alert on its way, and gives how many attempts that took, of at most `attempts`. Transport
/// errors, 429 and 5xx are tried again, after the wait that a server asks for, if that is not too long;
/// anything else is final.
pub fn deliver(
    route: &Route,
    address: &Address,
    envelope: &Envelope<'_>,
    attempts: u32,
    wait: &dyn Fn(Duration),
) -> Result<u32, Undelivered> {
    let Some(secret) = address.secret() else {
        let reason = format!("{} is not text", route.variable);
        return Err(Undelivered { reason, answered: false });
    };
    let mut pause = FIRST_WAIT;
    let mut attempt = 1;
    loop {
        let done = match route.kind {
            ChannelKind::Webhook => post(route, secret, envelope, &webhook(envelope).to_string()),
            ChannelKind::Slack => post(route, secret, envelope, &slack(envelope).to_string()),
            ChannelKind::Email => mail(route, secret, envelope),
        };
        let Err(setback) = done else { return Ok(attempt) };
        if !setback.again || attempt >= attempts {
            let tries = if attempt > 1 { format!(", {attempt} times") } else { String::new() };
            let reason = format!("{}{tries}", setback.reason);
            return Err(Undelivered { reason, answered: setback.answered });
        }
        wait(setback.wait.unwrap_or(pause).min(LONGEST_WAIT));
        pause *= 2;
        attempt += 1;
    }
}

fn for_good(reason: impl Into<String>) -> Setback {
    Setback { reason: reason.into(), again: false, answered: false, wait: None }
}

fn for_now(reason: impl Into<String>) -> Setback {
    Setback { reason: reason.into(), again: true, answered: false, wait: None }
}

/// Makes it one that a receiver answered with: it may take another alert.
fn answered(setback: Setback) -> Setback {
    Setback { answered: true, ..setback }
}

fn post(route: &Route, address: &str, envelope: &Envelope<'_>, body: &str) -> Result<(), Setback> {
    let no_address = || for_good(format!("{} holds no address of the web", route.variable));
    let uri: Uri = address.parse().map_err(|_| no_address())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(no_address());
    }
    let here = uri.host().is_some_and(is_here);
    let open = uri.scheme_str() == Some("http") && !here;
    if open && uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let message = format!("{} {OPEN}: write `https://`", route.variable);
        return Err(for_good(message));
    }
    // Nothing follows a redirect: the alert is for this address and nobody else. Nor does a proxy see
    // what is for this machine.
    let proxy = if here { None } else { ureq::Proxy::try_from_env() };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .proxy(proxy)
        .timeout_global(Some(route.timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("orch/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let request = agent
        .post(uri)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Idempotency-Key", envelope.due.key());
    let response = request.send(body).map_err(|error| of_http(&error))?;
    let code = response.status().as_u16();
    match code {
        200..=299 => Ok(()),
        300..=399 => Err(for_good(format!(
            "it redirects elsewhere (HTTP {code}), which is not followed; put the final address \
             into {}",
            route.variable
        ))),
        429 | 500..=599 => {
            let asked = response.headers().get("Retry-After");
            let asked = asked.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let wait = asked.map(Duration::from_secs);
            Err(answered(Setback { wait, ..for_now(format!("it answered HTTP {code}")) }))
        }
        _ => Err(answered(for_good(format!("it answered HTTP {code}")))),
    }
}

/// Gives what went wrong in words of our own: those of the library may hold the address.
fn of_http(error: &ureq::Error) -> Setback {
    match error {
        ureq::Error::Timeout(_) => for_now("it took too long"),
        ureq::Error::HostNotFound => for_now("its host is not found"),
        ureq::Error::Io(error) => for_now(of_system(error)),
        ureq::Error::ConnectionFailed => for_now("there is no connection"),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => {
            for_good("its certificate can't be relied on, or it speaks no TLS")
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => for_good("its address can't be used"),
        ureq::Error::InvalidProxyUrl => for_good("the address of the proxy can't be used"),
        _ => for_now("the exchange broke off"),
    }
}

fn of_system(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ConnectionRefused => "it refuses the connection",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "it took too long",
        ErrorKind::InvalidData => "it speaks no TLS that can be relied on",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => "it broke the connection off",
        _ => "there is no connection, or its host is not found",
    }
}

fn mail(route: &Route, address: &str, envelope: &Envelope<'_>) -> Result<(), Setback> {
    let variable = &route.variable;
    let unfit = |why| for_good(format!("{variable} {why}"));
    let url = guarded(address).map_err(&unfit)?;
    let transport = SmtpTransport::from_url(&url).map_err(|_| unfit(NO_SERVER.to_owned()))?;
    let transport = transport.timeout(Some(route.timeout)).build();
    let message = written(route, envelope)?;
    transport.send(&message).map(|_| ()).map_err(|error| of_mail(&error))
}

/// Gives an SMTP address that says how the connection is kept secret: by STARTTLS where the server has
/// it, or as it says itself; and always by TLS where a password would go over the net. Refuses one that
/// says otherwise, in words that follow on its variable's name.
fn guarded(address: &str) -> Result<String, String> {
    let (scheme, rest) = address.split_once("://").ok_or(NO_SERVER)?;
    match scheme {
        "smtps" => return Ok(address.to_owned()),
        "smtp" => {}
        _ => return Err(NO_SERVER.into()),
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (secret, here) = (host.len() < authority.len(), is_here(without_port(host)));
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("tls="));
    let joint = if query.is_empty() { "" } else { "&" };
    match asked {
        Some("required") => Ok(address.to_owned()),
        Some(_) if secret && !here => Err(format!("{OPEN}: write `tls=required`")),
        Some(_) => Ok(address.to_owned()),
        None if here => Ok(address.to_owned()),
        // The first to say so counts.
        None if secret => Ok(format!("smtp://{place}?tls=required{joint}{query}")),
        None => {
            // Without a password, mail goes to port 25 and not to that of submission.
            let port = if without_port(host) == host { ":25" } else { "" };
            Ok(format!("smtp://{authority}{port}{path}?tls=opportunistic{joint}{query}"))
        }
    }
}

/// Why an address of mail can't be used, behind its variable's name.
const NO_SERVER: &str =
    "holds no address of a mail server: smtp://USER:PASSWORD@HOST:PORT or smtps://…";
/// Why an address with a password is not used, likewise.
const OPEN: &str = "would send its password over the net in the open";

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

/// Tells whether a host is this very machine, as far as its name alone can say.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let near = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    near || host.eq_ignore_ascii_case("localhost")
}

fn written(route: &Route, envelope: &Envelope<'_>) -> Result<Message, Setback> {
    let mailbox = |text: &str| {
        let parsed: Result<Mailbox, _> = text.parse();
        parsed.map_err(|_| for_good("the policy's `from` or `to` is no address of a mail"))
    };
    let mut builder = Message::builder()
        .from(mailbox(route.from.as_deref().unwrap_or_default())?)
        .subject(mail_subject(envelope))
        .header(ContentType::TEXT_PLAIN)
        .message_id(Some(format!("<{}@orch>", envelope.due.key())));
    for to in &route.to {
        builder = builder.to(mailbox(to)?);
    }
    builder.body(mail_text(envelope)).map_err(|_| for_good("no mail can be made of it"))
}

fn of_mail(error: &lettre::transport::smtp::Error) -> Setback {
    match error.status() {
        Some(code) if error.is_permanent() => {
            answered(for_good(format!("it answered SMTP {code}")))
        }
        Some(code) => answered(for_now(format!("it answered SMTP {code}"))),
        None if error.is_timeout() => for_now("it took too long"),
        None if error.is_tls() => {
            for_good("its certificate can't be relied on, or it speaks no TLS")
        }
        None if error.is_client() => {
            for_good("it offers nothing that this mail needs, such as TLS")
        }
        None => for_now("the connection failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A password goes over the net only where nobody can read it.
    #[test]
    fn a_password_is_kept_secret() {
        for (given, used) in [
            ("smtps://u:p@mail.example", "smtps://u:p@mail.example"),
            ("smtp://u:p@mail.example", "smtp://u:p@mail.example?tls=required"),
            ("smtp://u:p@mail.example:25/me?x=1", "smtp://u:p@mail.example:25/me?tls=required&x=1"),
            ("smtp://u:p@mail.example#me", "smtp://u:p@mail.example?tls=required"),
            ("smtp://u:tls=p@mail.example", "smtp://u:tls=p@mail.example?tls=required"),
            ("smtp://u:p@127.example", "smtp://u:p@127.example?tls=required"),
            ("smtp://u:p@localhost.example", "smtp://u:p@localhost.example?tls=required"),
            ("smtp://u:p@[::1]:25", "smtp://u:p@[::1]:25"),
            ("smtp://mail.example", "smtp://mail.example:25?tls=opportunistic"),
            ("smtp://mail.example:2525", "smtp://mail.example:2525?tls=opportunistic"),
            ("smtp://u:p@127.0.0.1:2525", "smtp://u:p@127.0.0.1:2525"),
            ("smtp://u:p@mail.example?tls=required", "smtp://u:p@mail.example?tls=required"),
        ] {
            assert_eq!(guarded(given).as_deref(), Ok(used), "{given}");
            assert!(SmtpTransport::from_url(used).is_ok(), "{used}");
        }
        for opportune in
            ["smtp://u:p@mail.example?tls=opportunistic", "smtp://u:p@mail.example?tls="]
        {
            assert!(guarded(opportune).is_err_and(|why| why.starts_with(OPEN)), "{opportune}");
        }
        for strange in ["https://mail.example", "mail.example"] {
            assert_eq!(guarded(strange), Err(NO_SERVER.to_owned()));
        }
    }
}
