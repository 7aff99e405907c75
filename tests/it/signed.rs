//! Signatures: made with real keys, verified by the real `ssh-keygen`, and the other way round.

use std::process::Command;

use crate::support::{Agent, Said, Team, TestRepo, key, must_run as run, public};

/// A team whose founder and auditor have keys that the repository knows.
struct Signing {
    team: Team,
}

const FOUNDER: &str = "founder: {lanes: [F], human: true}";
const SIGNERS: &str = ".orch/allowed_signers";

impl Signing {
    /// Begins with keys in `allowed_signers`; `changes` are made to the template's policy.
    fn new(changes: &[(&str, &str)], signers: &[(&str, &str)]) -> Self {
        let team = Team::over(TestRepo::new());
        team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
        for (from, to) in changes {
            team.edit(".orch/policy.yaml", from, to);
        }
        let lines = signers.iter().map(|(name, key)| format!("{name} {}\n", public(key)));
        if !signers.is_empty() {
            team.repo.write(SIGNERS, lines.collect::<String>());
        }
        team.repo.git(&["add", ".orch"]);
        team.commit("Begin with orch");
        Signing { team }
    }

    /// Lets Git sign with a key from here on.
    fn use_key(&self, key: &str) {
        self.team.repo.git(&["config", "gpg.format", "ssh"]);
        self.team.repo.git(&["config", "user.signingKey", key]);
    }

    /// Opens a task, and pauses it as the founder on a branch `orch/hold`, staged.
    fn pause(&self) -> Said {
        self.team.open("strat-001", "new_strategy", &[]);
        self.team.commit("Open strat-001");
        self.team.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
        self.team.try_orch("founder", &["pause", "strat-001", "--reason", "Hold on"])
    }

    fn pause_record(&self) -> String {
        self.team.record("strat-001", "pause")
    }

    /// Asks the real `ssh-keygen` whether a record is signed by a principal.
    fn ssh_keygen_verifies(&self, record: &str, principal: &str) -> bool {
        let top = self.team.repo.path();
        let signed = std::fs::File::open(top.join(record)).expect("the record is there");
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-n", "orch", "-I", principal, "-f", SIGNERS, "-s"]);
        command.arg(format!("{record}.sig")).current_dir(top).stdin(signed);
        command.output().expect("OpenSSH is installed").status.success()
    }

    /// Signs a file of the working tree with the real `ssh-keygen`.
    fn sign_by_hand(&self, key: &str, namespace: &str, record: &str) {
        let file = self.team.repo.path().join(record);
        let _ = std::fs::remove_file(format!("{}.sig", file.display()));
        run(Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f", key])
            .arg(file));
        self.team.repo.git(&["add", ".orch"]);
    }
}

fn must_sign(what: &str) -> (&'static str, String) {
    ("version: 1", format!("version: 1\nsignatures: {what}"))
}

/// What orch signs by itself, the real `ssh-keygen` verifies, with every kind of key; and what
/// `ssh-keygen` signs, orch accepts.
#[test]
fn both_verify_what_the_other_signs() {
    for kind in [
        &["ed25519"][..],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["ecdsa", "-b", "521"],
        &["rsa", "-b", "3072"],
    ] {
        let keys = TestRepo::new();
        let own = key(&keys, "own", kind);
        let (from, to) = must_sign("{kinds: [pause]}");
        let signing = Signing::new(&[(from, &to)], &[("founder", &own)]);
        signing.use_key(&format!("{own}.pub"));
        // The public key's file stands for the private one, as Git has it too.
        signing.use_key(&own);
        assert_eq!(signing.pause().code, 0, "{kind:?}");
        let record = signing.pause_record();
        assert!(signing.ssh_keygen_verifies(&record, "founder"), "{kind:?}");
        assert!(!signing.ssh_keygen_verifies(&record, "orchestrator"));
        signing.team.guard(&[]).passed();
        signing.sign_by_hand(&own, "orch", &record);
        signing.team.commit("Pause strat-001");
        signing.team.guard(&["--base", "main"]).passed();
        signing.team.verify().passed();
    }
}

/// Attack 108: without a signature, by another's key, an unknown one, one for another purpose, or
/// over other bytes.
#[test]
fn what_must_be_signed_is_signed_by_its_actor() {
    let keys = TestRepo::new();
    let [own, other, unknown] =
        ["own", "other", "unknown"].map(|name| key(&keys, name, &["ed25519"]));
    let (from, to) = must_sign("{agents: [founder]}");
    let signers = [("founder", own.as_str()), ("independent_auditor", &other)];
    let signing = Signing::new(&[(from, &to)], &signers);
    let said = signing.pause();
    assert_eq!(said.checks(), ["signature-missing"], "{said:#?}");
    assert!(said.err.contains("user.signingKey"), "{said:#?}");
    signing.use_key(&unknown);
    let pause = ["pause", "strat-001", "--reason", "Hold on"];
    let said = signing.team.try_orch("founder", &pause);
    assert_eq!(said.checks(), ["signature-invalid"], "{said:#?}");
    signing.use_key(&own);
    signing.team.orch("founder", &pause);
    let record = signing.pause_record();
    let sidecar = format!("{record}.sig");
    for (key, namespace, told) in [
        (&other, "orch", "a key of `independent_auditor`"),
        (&unknown, "orch", "nobody's key"),
        (&own, "file", "made for `file`"),
    ] {
        signing.sign_by_hand(key, namespace, &record);
        let judged = signing.team.guard(&[]);
        assert_eq!(judged.refused_by("signature-invalid").path, sidecar);
        assert!(judged.json.to_string().contains(told), "{told}: {:#?}", judged.json);
    }
    signing.sign_by_hand(&own, "orch", &record);
    signing.team.guard(&[]).passed();
    signing.team.edit(&record, "Hold on", "Hold off");
    signing.team.repo.git(&["add", ".orch"]);
    signing.team.guard(&[]).refused_by("signature-invalid");
    signing.team.edit(&record, "Hold off", "Hold on");
    signing.team.repo.write(&sidecar, "no signature\n");
    signing.team.repo.git(&["add", ".orch"]);
    signing.team.git_refused(&["commit", "-m", "Pause"], "signature-invalid");
    signing.team.repo.git(&["rm", "--quiet", "--force", &sidecar]);
    signing.team.git_refused(&["commit", "-m", "Pause"], "signature-missing");
}

/// Attack 108: a key that is not valid yet, not any more, or revoked; and one that the change itself
/// brings.
#[test]
fn a_key_counts_while_it_is_agreed() {
    let keys = TestRepo::new();
    let own = key(&keys, "own", &["ed25519"]);
    let (from, to) = must_sign("{agents: [founder]}");
    let mut options = vec![
        ("founder valid-before=\"20200101Z\"", "not valid any more"),
        ("founder valid-after=\"20990101Z\"", "not valid yet"),
        ("founder namespaces=\"git\"", "may not sign for"),
        ("founder namespaces=\"git,orch\",valid-after=\"20200101Z\"", ""),
    ];
    for (line, told) in options.drain(..) {
        let signing = Signing::new(&[(from, &to)], &[(line, &own)]);
        signing.use_key(&own);
        let said = signing.pause();
        assert_eq!(said.code == 0, told.is_empty(), "{line}: {said:#?}");
        assert!(said.err.contains(told), "{line}: {said:#?}");
    }
    let signing = Signing::new(&[(from, &to)], &[]);
    signing.use_key(&own);
    signing.pause();
    signing.team.repo.write(SIGNERS, format!("founder {}\n", public(&own)));
    signing.team.repo.git(&["add", ".orch"]);
    let said = signing.team.try_orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    assert!(said.err.contains("nobody's key"), "{said:#?}");

    let signing = Signing::new(&[(from, &to)], &[("founder", &own)]);
    signing.use_key(&own);
    assert_eq!(signing.pause().code, 0);
    signing.team.commit("Pause strat-001");
    signing.team.repo.git(&["switch", "--quiet", "--create", "orch/revoke", "main"]);
    signing.team.repo.write(".orch/revoked_keys", format!("{}\n", public(&own)));
    signing.team.repo.git(&["add", ".orch"]);
    signing.team.git_refused(&["commit", "-m", "Revoke"], "policy-change-undecided");
    let decide = ["decide", "--title", "Lost", "--context", "Stolen", "--decision", "Revoke it"];
    let changes = ["--changes", ".orch/revoked_keys"];
    signing.team.orch("founder", &[&decide[..], &changes].concat());
    signing.team.commit("Revoke a key");
    signing.team.repo.git(&["switch", "--quiet", "orch/hold"]);
    let judged = signing.team.guard(&["--base", "orch/revoke"]);
    judged.refused_by("signature-invalid");
    assert!(judged.json.to_string().contains("was revoked"), "{:#?}", judged.json);
}

/// R000-18: where an agent is bound to a key alone, its records are its own only if they are signed,
/// themselves or by their commits; through squash and rebase, the record's own signature speaks.
#[test]
fn a_key_alone_is_an_identity() {
    let keys = TestRepo::new();
    let own = key(&keys, "own", &["ed25519"]);
    let bound = format!("founder: {{lanes: [F], human: true, identities: ['{}']}}", public(&own));
    let signing = Signing::new(&[(FOUNDER, &bound)], &[]);
    let team = &signing.team;
    assert_eq!(signing.pause().code, 0);
    team.commit("Pause strat-001");
    team.guard(&["--base", "main"]).refused_by("identity-mismatch");
    signing.use_key(&own);
    let amend = ["commit", "--quiet", "--amend", "--no-edit", "-S"];
    team.repo.git(&amend);
    team.guard(&["--base", "main"]).passed();
    let other = key(&keys, "other", &["ed25519"]);
    signing.use_key(&other);
    team.repo.git(&amend);
    team.guard(&["--base", "main"]).refused_by("identity-mismatch");
    signing.use_key(&own);
    team.orch("founder", &["sign"]);
    team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", "--author=Eve <eve@example.org>"]);
    team.guard(&["--base", "main"]).passed();
    // A squash on the protected branch, by somebody else.
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.git(&["merge", "--quiet", "--squash", "orch/hold"]);
    team.repo.git(&[
        "-c",
        "user.email=eve@example.org",
        "commit",
        "--quiet",
        "--no-verify",
        "-m",
        "Squash",
    ]);
    team.guard(&["--base", "HEAD^"]).passed();
}

/// `orch sign` signs one's own records, and nobody else's.
#[test]
fn one_signs_what_one_says() {
    let keys = TestRepo::new();
    let own = key(&keys, "own", &["ed25519"]);
    let signing = Signing::new(&[], &[("founder", &own)]);
    assert_eq!(signing.pause().code, 0);
    let team = &signing.team;
    let record = signing.pause_record();
    assert!(team.try_orch("founder", &["sign"]).fault().contains("gpg.format ssh"));
    signing.use_key("key::ssh-ed25519 AAAA");
    team.try_orch("founder", &["sign"]).fault();
    signing.use_key(&own);
    assert!(team.try_orch("orchestrator", &["sign", &record]).denied().contains("--agent founder"));
    team.try_orch("founder", &["sign", "README.md"]).fault();
    assert!(team.orch("founder", &["sign", "--dry-run"]).contains("would sign"));
    assert!(team.orch("founder", &["sign"]).contains(&format!("wrote {record}.sig")));
    assert!(signing.ssh_keygen_verifies(&record, "founder"));
    assert!(team.orch("founder", &["sign"]).contains("nothing here that is not signed"));
    assert!(team.orch("founder", &["sign", &record]).contains("is there already"));
    team.commit("Pause strat-001");
    team.merge("orch/hold");
    let sidecar = format!("{record}.sig");
    team.repo.git(&["rm", "--quiet", &sidecar]);
    team.git_refused(&["commit", "-m", "Unsign"], "record-modified");
}

/// An agent's key, which only `ssh-agent` holds.
#[test]
fn an_agent_holds_the_key() {
    let keys = TestRepo::new();
    let own = key(&keys, "own", &["ed25519"]);
    let agent = Agent::holding(&keys, &own);
    let literal = format!("key::{}", public(&own));
    let signing = Signing::new(&[], &[("founder", &own)]);
    std::fs::remove_file(&own).expect("the key is in the agent's hands");
    let team = signing.team.with_variable("SSH_AUTH_SOCK", agent.socket());
    let signing = Signing { team };
    signing.use_key(&literal);
    assert_eq!(signing.pause().code, 0);
    let said = signing.team.try_orch("founder", &["sign"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(signing.ssh_keygen_verifies(&signing.pause_record(), "founder"));
}

/// A commit that Git signs with OpenPGP proves who made it, if `gpg` finds the signature good.
#[test]
fn openpgp_through_git() {
    let signing = Signing::new(&[], &[]);
    let home = signing.team.repo.root().join("gnupg");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]);
        command.args(arguments).env("GNUPGHOME", &home);
        let output = command.output().expect("GnuPG is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    gpg(&["--quick-generate-key", "Founder <founder@example.org>", "ed25519", "sign", "never"]);
    let listed = gpg(&["--list-keys", "--with-colons"]);
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).unwrap();
    let fingerprint = fingerprint.trim_end_matches(':').to_lowercase();
    let bound = |fingerprint: &str| {
        format!("founder: {{lanes: [F], human: true, identities: ['openpgp:{fingerprint}']}}")
    };
    let team = signing.team.with_variable("GNUPGHOME", home.as_os_str());
    for (fingerprint, good) in [(fingerprint.as_str(), true), (&"0".repeat(40), false)] {
        team.repo.git(&["switch", "--quiet", "main"]);
        team.edit(
            ".orch/policy.yaml",
            team.read(".orch/policy.yaml")
                .lines()
                .find(|line| line.contains("founder: {"))
                .unwrap()
                .trim(),
            &bound(fingerprint),
        );
        team.smuggle("Bind the founder");
        let task = if good { "strat-001" } else { "strat-002" };
        team.open(task, "new_strategy", &[]);
        team.commit("Open a task");
        team.repo.git(&["switch", "--quiet", "--create", &format!("orch/hold-{task}")]);
        team.orch("founder", &["pause", task, "--reason", "Hold on"]);
        team.commit("Pause it");
        team.guard(&["--base", "main"]).refused_by("identity-mismatch");
        team.repo.git(&["config", "user.signingKey", "founder@example.org"]);
        team.repo.git(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
        let judged = team.guard(&["--base", "main"]);
        assert_eq!(judged.errors.is_empty(), good, "{:#?}", judged.json);
    }
}

/// Renumbered entries are signed again, each by its own actor.
#[test]
fn each_signs_again_what_is_renumbered() {
    let keys = TestRepo::new();
    let [own, other] = ["own", "other"].map(|name| key(&keys, name, &["ed25519"]));
    let (from, to) = must_sign("{agents: [founder, orchestrator]}");
    let signers = [("founder", own.as_str()), ("orchestrator", &other)];
    let signing = Signing::new(&[(from, &to)], &signers);
    let team = &signing.team;
    signing.use_key(&other);
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.repo.git(&["switch", "--quiet", "--create", "orch/hold"]);
    team.orch("orchestrator", &["task", "update", "strat-001", "--title", "Slower"]);
    signing.use_key(&own);
    team.orch("founder", &["pause", "strat-001", "--reason", "Hold on"]);
    team.commit("Pause strat-001");
    team.repo.git(&["switch", "--quiet", "main"]);
    signing.use_key(&other);
    team.orch("orchestrator", &["task", "block", "strat-001", "--reason", "No data yet"]);
    team.commit("Block strat-001");
    team.repo.git(&["switch", "--quiet", "orch/hold"]);
    let merge = team.git_refused(&["merge", "--no-edit", "main"], "chain-forked");
    assert!(!merge.checks().contains(&"signature-missing"), "{merge:#?}");
    let rebase = ["task", "rebase", "strat-001"];
    let said = team.try_orch("independent_auditor", &rebase);
    assert!(said.denied().contains("--agent orchestrator"), "{said:#?}");
    signing.use_key(&own);
    let said = team.try_orch("founder", &rebase);
    assert!(said.out.contains("`orchestrator` has to sign again"), "{said:#?}");
    assert_eq!(said.checks(), ["signature-missing"], "{said:#?}");
    signing.use_key(&other);
    team.orch("orchestrator", &["sign"]);
    team.repo.git(&["commit", "--quiet", "--no-edit"]);
    team.guard(&["--base", "main"]).passed();
    assert!(signing.ssh_keygen_verifies(&signing.pause_record(), "founder"));
}
