//! Alerts, to real servers on this machine.

use std::time::{Duration, Instant};

use crate::support::{Said, Server, Team, TestRepo};

/// What must be told nowhere.
const TOKEN: &str = "T0KEN-s3cret";

/// A fund's team, on `main`.
fn team() -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge", "--hooks"]);
    team.commit("Begin with orch");
    team
}

/// The same, with a pager that is this server.
fn paged(server: &Server) -> Team {
    team().with_variable("ALERT_WEBHOOK_URL", url(server))
}

fn url(server: &Server) -> String {
    format!("http://{}/hook/{TOKEN}?key={TOKEN}", server.place())
}

const RAISE: [&str; 5] = ["notify", "--action", "risk_alert", "--message", "Drawdown at 1.8 %"];

fn raise(team: &Team, more: &[&str]) -> Said {
    team.try_orch("risk", &[&RAISE[..], more].concat())
}

fn notify(team: &Team, more: &[&str]) -> Said {
    team.try_orch("ops", &[&["notify"], more].concat())
}

/// Nothing that is left behind holds the secret.
fn is_secret(team: &Team, said: &[&Said]) {
    for said in said {
        assert!(!said.out.contains(TOKEN) && !said.err.contains(TOKEN), "{said:#?}");
    }
    let found = team.repo.root();
    let grep = std::process::Command::new("grep").args(["-rl", TOKEN]).arg(found).output().unwrap();
    assert!(grep.stdout.is_empty(), "{}", String::from_utf8_lossy(&grep.stdout));
}

/// R003-25, R003-26: an agent raises an alert once; it reaches the webhook with the fields that are
/// promised, goes into the activity log, and names the procedure that answers it.
#[test]
fn an_agent_raises_an_alert() {
    let server = Server::http(&["200 OK"]);
    let team = paged(&server).with_variable("ORCH_ENVIRONMENT", "production");
    let reject = ["notify", "--action", "risk_reject", "--message", "Too large"];
    let said = team.try_orch("risk", &[&reject[..], &["--detail", "drawdown=0.018"]].concat());
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("ERROR risk_reject: Too large"), "{said:#?}");
    assert!(
        said.out.contains("orch procedure start risk_breach --trigger 'Too large'"),
        "{said:#?}"
    );
    let letters = server.letters();
    assert_eq!(letters.len(), 1, "{letters:#?}");
    let body = letters[0].json();
    for (field, value) in [
        ("action", "risk_reject"),
        ("severity", "error"),
        ("title", "Risk rejects a trade"),
        ("message", "Too large"),
        ("source", "raised"),
        ("state", "raised"),
        ("agent", "risk"),
        ("project", "hedge"),
        ("environment", "production"),
        ("procedure", "risk_breach"),
    ] {
        assert_eq!(body[field], value, "{body:#}");
    }
    assert_eq!(body["details"]["drawdown"], "0.018");
    let print = body["fingerprint"].as_str().unwrap();
    let key = letters[0].header("Idempotency-Key").unwrap();
    assert_eq!(print.strip_prefix("sha256:"), Some(key));

    // Said again at once, it is the same.
    let again = team.try_orch("risk", &[&reject[..], &["--detail", "drawdown=0.018"]].concat());
    assert!(again.code == 0 && again.out.contains("nothing new"), "{again:#?}");
    assert!(again.out.contains("said already at 20"), "{again:#?}");
    assert_eq!(server.letters().len(), 1);
    let log = team.read("logs/agent_activity.log");
    let line: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&line["agent"], &line["action"]), (&"risk".into(), &"notify".into()), "{line:#}");
    assert_eq!(line["outputs"]["taken_by"][0], "pager", "{line:#}");
    is_secret(&team, &[&said, &again]);
}

/// What can't be meant is refused, with what was probably meant, and before anybody is told.
#[test]
fn what_is_no_alert_is_refused() {
    let server = Server::http(&["200 OK"]);
    let team = paged(&server);
    let near = ["notify", "--action", "risk_alrt", "--message", "x"];
    assert!(team.try_orch("risk", &near).fault().contains("did you mean `risk_alert`?"));
    assert!(team.try_orch("", &RAISE).fault().contains("ORCH_AGENT"));
    assert!(raise(&team, &["--task", "strat-009"]).fault().contains("strat-009"));
    assert_eq!(raise(&team, &["--severity", "loud"]).code, 2);
    assert!(raise(&team, &["--detail", "a=1", "--detail", "a=2"]).fault().contains("`a`"));
    assert!(notify(&team, &["--test", "pagr"]).fault().contains("did you mean `pager`?"));
    assert!(notify(&team, &["--since", "soon"]).fault().contains("24h"));
    let planned = raise(&team, &["--dry-run"]);
    assert!(planned.out.contains("pager: would get 1"), "{planned:#?}");
    assert!(!team.repo.path().join(".git/orch/alerts/raised.jsonl").exists());
    assert_eq!(server.letters().len(), 0);
}

/// R003-25: the minimum and each action's own severity take effect, both ways round, and the
/// environment counts before the policy.
#[test]
fn the_environment_makes_it_louder_and_quieter() {
    let count = |variables: &[(&str, &str)]| {
        let server = Server::http(&["200 OK"]);
        let team = variables
            .iter()
            .fold(paged(&server), |team, (name, text)| team.with_variable(name, *text));
        let said = raise(&team, &[]);
        assert_eq!(said.code, 0, "{said:#?}");
        let letters = server.letters();
        letters.first().map(|letter| letter.json()["severity"].as_str().unwrap().to_owned())
    };
    let warning = Some("warning".to_owned());
    assert_eq!(count(&[]), warning, "the policy says warning, and takes warnings");
    assert_eq!(count(&[("ALERT_SEVERITY_RISK_ALERT", "info")]), None);
    let loud = [("ALERT_SEVERITY_RISK_ALERT", "critical"), ("ALERT_MIN_SEVERITY", "critical")];
    assert_eq!(count(&loud), Some("critical".into()));
    assert_eq!(count(&[("ALERT_MIN_SEVERITY", "error")]), None);
    let quiet = [("ALERT_SEVERITY_RISK_ALERT", "debug"), ("ALERT_MIN_SEVERITY", "DEBUG")];
    assert_eq!(count(&quiet), Some("debug".into()));
}

/// R003-25: a variable that says nothing is named, and what it says is not; the alert goes out all the
/// same, and the exit code is what becomes of it.
#[test]
fn a_variable_that_says_nothing_is_named() {
    for (name, help) in [
        ("ALERT_MIN_SEVERITY", "debug, info, warning, error or critical"),
        ("ALERT_SEVERITY_RISK_ALERT", "debug, info, warning, error or critical"),
        ("ALERT_SEVERITY_RISK_REJECT", "debug, info, warning, error or critical"),
        ("ALERT_WEBHOOK_TIMEOUT_SECONDS", "seconds"),
        ("ALERT_STDOUT_ENABLED", "true or false"),
    ] {
        let server = Server::http(&["200 OK"]);
        let said = raise(&paged(&server).with_variable(name, TOKEN), &[]);
        assert!(said.err.contains(name) && said.err.contains(help), "{said:#?}");
        assert_eq!((said.code, server.letters().len()), (0, 1), "{said:#?}");
        assert!(!said.err.contains(TOKEN), "{said:#?}");
    }
    let strange = team().with_variable("ALERT_SEVERITY_RISK_ALRT", "error");
    let said = raise(&strange, &["--dry-run"]);
    assert!(said.err.contains("did you mean ALERT_SEVERITY_RISK_ALERT?"), "{said:#?}");
    let silent = team().with_variable("ALERT_STDOUT_ENABLED", "false");
    assert!(!raise(&silent, &["--dry-run"]).out.contains("Drawdown"));
}

/// What is no text is told as that, and not as if nothing stood there.
#[test]
#[cfg(unix)]
fn an_address_that_is_no_text_is_told_as_such() {
    let garbled = std::os::unix::ffi::OsStringExt::from_vec(b"https://x/\xff".to_vec());
    let garbled: std::ffi::OsString = garbled;
    let said = raise(&team().with_variable("ALERT_WEBHOOK_URL", garbled.clone()), &[]);
    assert!(said.code == 1 && said.err.contains("ALERT_WEBHOOK_URL is not text"), "{said:#?}");
    let said = raise(&team().with_variable("ALERT_MIN_SEVERITY", garbled), &["--dry-run"]);
    assert!(said.code == 0 && said.err.contains("ALERT_MIN_SEVERITY"), "{said:#?}");
    assert!(said.err.contains("it is not text"), "{said:#?}");
}

/// What may pass is tried again, after the wait that is asked for; what will not pass is not.
#[test]
fn what_may_pass_is_tried_again() {
    let server = Server::http(&["500 Oops", "200 OK"]);
    assert_eq!(raise(&paged(&server), &[]).code, 0);
    let letters = server.letters();
    assert_eq!(letters.len(), 2);
    let keys: Vec<_> = letters.iter().map(|letter| letter.header("Idempotency-Key")).collect();
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");

    let server = Server::http(&["429 Busy\r\nRetry-After: 2", "200 OK"]);
    let began = Instant::now();
    assert_eq!(raise(&paged(&server), &[]).code, 0);
    assert!(began.elapsed() >= Duration::from_secs(2) && server.letters().len() == 2);

    let server = Server::http(&["404 Gone"]);
    let team = paged(&server);
    let said = raise(&team, &[]);
    assert!(said.err.contains("pager: took 0, did not take 1: it answered HTTP 404"), "{said:#?}");
    assert!(said.code == 1 && said.err.contains("ALERT_WEBHOOK_URL"), "{said:#?}");
    assert_eq!(server.letters().len(), 1);
    is_secret(&team, &[&said]);
}

/// Nothing follows a redirect, whatever it is to.
#[test]
fn a_redirect_is_not_followed() {
    let server = Server::http(&["307 There\r\nLocation: /elsewhere"]);
    let team = paged(&server);
    let said = raise(&team, &[]);
    assert!(said.code == 1 && said.err.contains("redirects elsewhere"), "{said:#?}");
    assert_eq!(server.letters().len(), 1);
    is_secret(&team, &[&said]);
}

/// One channel's failure keeps no other from its alert, and what was missed is sent later, once.
#[test]
fn one_channel_harms_no_other() {
    let (pager, desk) = (Server::http(&["400 No", "200 OK"]), Server::http(&["200 OK"]));
    let team = paged(&pager).with_variable("ALERT_SLACK_WEBHOOK_URL", url(&desk));
    let stop = ["notify", "--action", "risk_stop_loss", "--message", "<!channel> a & b"];
    let said = team.try_orch("risk", &stop);
    assert_eq!((said.code, desk.letters().len()), (1, 1), "{said:#?}");
    let body = desk.letters()[0].json();
    assert!(body["text"].as_str().unwrap().contains("&lt;!channel&gt; a &amp; b"), "{body:#}");
    assert_eq!(body["blocks"][0]["text"]["verbatim"], true, "{body:#}");
    let block = body["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(block.contains("risk_stop_loss") && !block.contains("<!"), "{body:#}");
    assert_eq!(notify(&team, &[]).code, 0);
    assert_eq!((pager.letters().len(), desk.letters().len()), (2, 1));
    assert!(notify(&team, &[]).out.contains("nothing new"));
    is_secret(&team, &[&said]);
}

/// R003-25: an alert that the receiver refuses keeps no other from it, the worst goes first, and what
/// was not taken is not forgotten in a week.
#[test]
fn a_refused_alert_holds_up_no_other() {
    let pager = Server::http(&["413 Large", "200 OK"]);
    let team = team();
    assert_eq!(raise(&team, &[]).code, 1, "no channel is set");
    assert_eq!(raise(&team, &["--severity", "critical"]).code, 1);
    let raised = ".git/orch/alerts/raised.jsonl";
    let old: Vec<String> = team
        .read(raised)
        .lines()
        .map(|line| {
            let mut alert: serde_json::Value = serde_json::from_str(line).unwrap();
            let at: chrono::DateTime<chrono::Utc> = alert["at"].as_str().unwrap().parse().unwrap();
            let at = at - chrono::TimeDelta::days(7);
            alert["at"] = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true).into();
            format!("{alert}\n")
        })
        .collect();
    team.repo.write(raised, old.concat());
    let team = team.with_variable("ALERT_WEBHOOK_URL", url(&pager));
    let said = notify(&team, &[]);
    assert!(said.code == 1 && said.err.contains("took 1, did not take 1"), "{said:#?}");
    let order: Vec<_> = pager.letters().iter().map(|l| l.json()["severity"].clone()).collect();
    assert_eq!(order, ["critical", "warning"]);
    assert_eq!((notify(&team, &[]).code, pager.letters().len()), (0, 3));
    assert_eq!((notify(&team, &[]).code, pager.letters().len()), (0, 3));
}

/// A server that never answers is given up after the time that is set, and its address is not told.
#[test]
fn a_slow_server_is_given_up() {
    let server = Server::http(&["slow"]);
    let team = paged(&server).with_variable("ALERT_WEBHOOK_TIMEOUT_SECONDS", "0.2");
    let said = raise(&team, &[]);
    assert!(said.code == 1 && said.err.contains("it took too long, 3 times"), "{said:#?}");
    let dead = team.with_variable("ALERT_WEBHOOK_URL", format!("http://127.0.0.1:1/{TOKEN}"));
    let refused = notify(&dead, &["--test", "pager"]);
    assert!(refused.code == 1 && refused.err.contains("refuses the connection"), "{refused:#?}");
    let strange = team.with_variable("ALERT_WEBHOOK_URL", format!("gopher://{TOKEN}"));
    let strange = notify(&strange, &["--test", "pager"]);
    assert!(strange.err.contains("ALERT_WEBHOOK_URL holds no address of the web"), "{strange:#?}");
    let https = format!("https://{}/{TOKEN}", Server::http(&["200 OK"]).place());
    let plain = notify(&team.with_variable("ALERT_WEBHOOK_URL", https), &["--test", "pager"]);
    assert_eq!(plain.code, 1, "{plain:#?}");
    is_secret(&team, &[&said, &refused, &strange, &plain]);
}

/// R003-27: a password goes to another machine over TLS alone, and to this one past every proxy.
#[test]
fn a_password_is_not_sent_in_the_open() {
    let open = format!("http://user:{TOKEN}@192.0.2.2:8901/hook");
    let team = team().with_variable("ALERT_WEBHOOK_URL", open);
    let said = notify(&team, &["--test", "pager"]);
    assert!(said.code == 1 && said.err.contains("ALERT_WEBHOOK_URL would send"), "{said:#?}");
    assert!(said.err.contains("write `https://`"), "{said:#?}");
    let (server, proxy) = (Server::http(&["200 OK"]), Server::http(&["200 OK"]));
    let here = format!("http://user:{TOKEN}@{}/hook", server.place());
    let team = team.with_variable("ALERT_WEBHOOK_URL", here);
    let team = team.with_variable("http_proxy", format!("http://{}", proxy.place()));
    let near = notify(&team, &["--test", "pager"]);
    assert_eq!((near.code, server.letters().len(), proxy.letters().len()), (0, 1, 0), "{near:#?}");
    is_secret(&team, &[&said, &near]);
}

/// R003-27: a mail has severity and action in its subject, and nothing in an alert makes a header.
#[test]
fn a_mail_goes_out() {
    let server = Server::smtp("250 known");
    let address = format!("smtp://user:{TOKEN}@{}", server.place());
    let team = team().with_variable("ALERT_SMTP_URL", address);
    let message = "Stop hit\r\nBcc: all@example.com";
    let said =
        team.try_orch("risk", &["notify", "--action", "risk_stop_loss", "--message", message]);
    assert_eq!(said.code, 0, "{said:#?}");
    let letters = server.letters();
    let (headers, text) = letters[0].body.split_once("\r\n\r\n").unwrap();
    assert!(headers.contains("Subject: [hedge] ERROR risk_stop_loss: A stop was hit"), "{headers}");
    assert!(headers.contains("From: orch@example.com") && headers.contains("To: ops@example.com"));
    assert!(!headers.contains("Bcc"), "{headers}");
    assert!(text.contains("Stop hit"), "{text}");

    let server = Server::smtp("550 unknown");
    let address = format!("smtp://user:{TOKEN}@{}", server.place());
    let team = team.with_variable("ALERT_SMTP_URL", address);
    let said = notify(&team, &["--test", "mail"]);
    assert!(said.code == 1 && said.err.contains("it answered SMTP 550"), "{said:#?}");

    // Where TLS is asked for and not to be had, no password is said.
    let server = Server::smtp("250 known");
    let address = format!("smtp://user:{TOKEN}@{}?tls=required", server.place());
    let guarded = team.with_variable("ALERT_SMTP_URL", address);
    let plain = notify(&guarded, &["--test", "mail"]);
    assert!(plain.code == 1 && plain.err.contains("such as TLS"), "{plain:#?}");
    let heads: String = server.letters().into_iter().map(|letter| letter.head).collect();
    assert!(!heads.contains("AUTH") && !heads.contains("MAIL"), "{heads}");
    is_secret(&team, &[&said, &plain]);
}

/// R003-6, R003-35: what is new in the ledgers is sent once, and told when it is over; what comes up
/// again is told again.
#[test]
fn what_is_new_is_sent_once_and_its_end_once() {
    let server = Server::http(&["200 OK"]);
    let team = paged(&server);
    assert!(notify(&team, &[]).out.contains("nothing new"));
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "Drawdown"];
    team.orch("sponsor", &[&halt[..], &["--id", "drawdown"]].concat());
    team.commit("Halt everything");
    let planned = notify(&team, &["--dry-run", "--format", "json"]).json();
    assert_eq!(planned["channels"][2]["taken"].as_array().unwrap().len(), 2, "{planned:#}");
    let said = notify(&team, &[]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("CRITICAL halt-standing: halt drawdown"), "{said:#?}");
    let told = |state: &str| {
        let letters = server.letters();
        let of = letters.iter().map(|letter| letter.json()).filter(|body| body["state"] == state);
        of.map(|body| body["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("raised"), ["halt-standing", "incident-open"]);
    assert!(notify(&team, &[]).out.contains("nothing new"));
    // A branch that has heard nothing of it makes nothing over.
    team.repo.git(&["switch", "--quiet", "--create", "orch/elsewhere", "HEAD^"]);
    assert!(notify(&team, &[]).out.contains("nothing new"));
    team.repo.git(&["switch", "--quiet", "main"]);
    team.orch("sponsor", &["unhalt", "drawdown", "--sign-off", "Flat"]);
    team.commit("Lift the halt");
    let said = notify(&team, &[]);
    assert!(said.out.contains("resolved: CRITICAL halt-standing"), "{said:#?}");
    assert_eq!((told("raised").len(), told("resolved")), (2, vec!["halt-standing".to_owned()]));
    assert!(notify(&team, &[]).out.contains("nothing new"));
    assert_eq!(server.letters().len(), 3);
    // A commit from before the end knows of no end, and one from before the beginning of no end either.
    for rev in ["HEAD^", "HEAD^^"] {
        let old = notify(&team, &["--rev", rev]);
        assert!(!old.out.contains("resolved"), "{old:#?}");
    }
    team.repo.git(&["switch", "--quiet", "--detach", "HEAD^^"]);
    team.repo.git(&["branch", "--quiet", "--move", "main", "orch/hidden"]);
    assert!(notify(&team, &[]).out.contains("nothing new"));
    team.repo.git(&["branch", "--quiet", "--move", "orch/hidden", "main"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    // A line that was cut off in the middle is no line, and harms none behind it.
    let sent = ".git/orch/alerts/sent.jsonl";
    team.repo.write(sent, format!("{}{{\"channel\":\"pag", team.read(sent)));
    assert!(notify(&team, &[]).out.contains("nothing new"));
    is_secret(&team, &[&said]);
}

/// A handoff whose artifact changed is noticed, where it is asked for.
#[test]
fn stale_handoffs_are_noticed() {
    let server = Server::http(&["200 OK"]);
    let team = Team::new().with_variable("ALERT_WEBHOOK_URL", url(&server));
    team.hand_over_strategy(&[]);
    team.repo.write(crate::support::CODE, "other\n");
    team.smuggle("Change what was handed over, past the hooks");
    assert!(notify(&team, &[]).out.contains("nothing new"), "it is not where work lands");
    let said = notify(&team, &["--rev", "HEAD"]);
    assert!(said.code == 0 && said.out.contains("ERROR handoff-stale"), "{said:#?}");
    let body = server.letters()[0].json();
    assert_eq!((&body["source"], &body["task_id"]), (&"finding".into(), &"strat-001".into()));
    assert!(said.out.contains("webhook: took 1"), "a channel of no policy: {said:#?}");
}

/// R003-25: whoever reads what is printed may have gone away: every channel gets its alert all the same,
/// one that does not take it is told by the exit code, and what nobody read is printed the next time.
#[test]
fn nobody_has_to_read_what_is_printed() {
    let unread = |team: &Team, format: &str| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let arguments = [&RAISE[..], &["--format", format]].concat();
        team.command("risk", "s", &arguments).stdout(writer).output().unwrap().status.code()
    };
    let server = Server::http(&["200 OK"]);
    let team = paged(&server);
    assert_eq!((unread(&team, "human"), server.letters().len()), (Some(0), 1));
    let again = notify(&team, &[]);
    assert!(again.code == 0 && again.out.contains("WARNING risk_alert: Drawdown"), "{again:#?}");
    assert_eq!(server.letters().len(), 1);
    let broken = Server::http(&["400 No"]);
    assert_eq!((unread(&paged(&broken), "json"), broken.letters().len()), (Some(1), 1));
}

/// Where no channel is set up, nobody was told, and that is said.
#[test]
fn a_channel_that_is_off_is_named() {
    let said = raise(&team(), &[]);
    assert!(said.code == 1 && said.err.contains("nobody was told"), "{said:#?}");
    assert!(said.err.contains("ALERT_WEBHOOK_URL is not set here"), "{said:#?}");
    let none = Team::new();
    assert!(notify(&none, &[]).out.contains("nothing new"));
}

/// R000-51, R003-6: a report that nobody wrote in time is a debt, and told as one.
#[test]
fn debts_are_noticed() {
    let server = Server::http(&["200 OK"]);
    let team = Team::over(TestRepo::new()).with_variable("ALERT_WEBHOOK_URL", url(&server));
    team.orch("sponsor", &["init", "--template", "hedge", "--hooks"]);
    team.edit(".orch/policy.yaml", "report_due: 1h", "report_due: 1s");
    team.repo.git(&["add", ".orch/policy.yaml"]);
    team.commit("Begin with orch");
    let open = ["incident", "open", "inc-001", "--trigger", "Orders without a stop"];
    team.orch("director", &[&open[..], &["--severity", "low"]].concat());
    team.commit("Open the incident");
    let last = || server.letters().last().map(|letter| letter.json()).unwrap_or_default();
    let told = |action: &str| {
        let letters = server.letters();
        letters.iter().any(|letter| letter.json()["action"] == action)
    };
    let begun = Instant::now();
    while !told("incident-report-overdue") {
        assert_eq!(notify(&team, &[]).code, 0);
        assert!(begun.elapsed() < Duration::from_secs(60), "{:#}", last());
        std::thread::sleep(Duration::from_millis(200));
    }
    let body = last();
    assert_eq!(
        (&body["source"], &body["severity"]),
        (&"debt".into(), &"warning".into()),
        "{body:#}"
    );
    assert!(body["help"].as_str().unwrap().contains("orch incident report inc-001"), "{body:#}");
    assert!(!told("incident-open"), "one of low severity is below the threshold");
    assert!(notify(&team, &[]).out.contains("nothing new"), "how late it is makes no other debt");
}

/// Whoever waits for a turn and is killed has not lost what they raised.
#[test]
fn what_is_raised_is_kept_while_it_waits() {
    let server = Server::http(&["200 OK"]);
    let team = paged(&server);
    assert_eq!(notify(&team, &[]).code, 0);
    let alerts = team.repo.path().join(".git/orch/alerts");
    let hung = std::fs::File::create(alerts.join("lock")).unwrap();
    hung.lock().unwrap();
    let mut waiting = team.command("risk", "s", &RAISE).spawn().unwrap();
    let begun = Instant::now();
    while !alerts.join("raised.jsonl").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    hung.unlock().unwrap();
    assert_eq!((notify(&team, &[]).code, server.letters().len()), (0, 1));
}

/// Many who say the same at once are heard once.
#[test]
fn the_same_from_many_is_sent_once() {
    let server = Server::http(&["200 OK"]);
    let team = paged(&server);
    let said: Vec<_> = (0..4)
        .map(|_| team.command("risk", "s", &RAISE).stdout(std::process::Stdio::null()).spawn())
        .collect();
    for child in said {
        assert!(child.unwrap().wait().unwrap().success());
    }
    assert_eq!(server.letters().len(), 1);
    let louder = raise(&team, &["--severity", "critical"]);
    assert!(louder.out.contains("CRITICAL risk_alert"), "louder is not the same: {louder:#?}");
    assert_eq!(server.letters().len(), 2);
}
