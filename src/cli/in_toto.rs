//! `orch export in-toto`: what is on the record as attestations, signed with the key that Git signs with.

use std::fs;
use std::path::{Path, PathBuf};

use super::Stop;
use super::board::place_of;
use super::context::{Context, View, readable_policy};
use super::files::TEMPORARY;
use super::ledger::refuse;
use super::output::{id, moment, say, show};
use crate::exchange::in_toto::{Attestation, Envelope, Statement, Verified, of_ledger, summary};
use crate::guard;
use crate::ledger::State;
use crate::record::Home;
use crate::render::json_line;
use crate::snapshot::{Fault, GitRepository, Oid, PlainSigner, Side};
use crate::source::{Moment, TaskId, many};
use crate::world::{self, Focus};

/// Give what is on the record to tools that know nothing of orch.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Export {
    /// Attest handoffs, audits, gates and the verification of a commit
    InToto(InToto),
}

/// Attest handoffs, audits, gates and the verification of a commit.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Gives in-toto Statements, version 1, in DSSE envelopes: each handoff and audit \
                        report whole,\nthe tests of each audit and gate (test-result v0.1), and for a \
                        whole commit SLSA's\nverification summary (VSA), which claims no level of SLSA. \
                        The commit is verified first,\nas `orch verify` does; if that refuses anything, \
                        nothing is attested.\nThe key is that of `gpg.format ssh` and \
                        `user.signingKey`: an Ed25519 key without a\npassphrase, or held by an agent. \
                        The same commit, key and `--at` give the same bytes.\ndocs/attestations.md tells \
                        how others verify them.\nExit codes: 0 attested, 1 nothing that holds, 2 could \
                        not look.\nExample: orch export in-toto main --output attestations\n         \
                        orch export in-toto --task strat-001 > strat-001.intoto.jsonl"
)]
pub(super) struct InToto {
    /// The commit
    #[arg(default_value = "HEAD")]
    rev: String,
    /// Of one task alone, and no summary
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// Write one file each into a new or empty folder, all or none; by default lines of JSON are printed
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Bare statements, in no envelope
    #[arg(long)]
    unsigned: bool,
    /// Where the commit may be had, as the summary's resourceUri; by default what names it alone,
    /// gitoid:commit:…
    #[arg(long, value_name = "URI", value_parser = uri)]
    resource_uri: Option<String>,
    /// Verify as of this moment, in RFC 3339
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    at: Option<Moment>,
}

/// Takes what could be an address: a scheme in lower case, a colon, and no blank.
fn uri(text: &str) -> Result<String, String> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
        scheme.starts_with(|first: char| first.is_ascii_lowercase()) && scheme.chars().all(known)
    });
    match scheme.is_some() && text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("an address is such as `git+https://example.org/lab.git@v1.0`".into()),
    }
}

/// Tells whether an address has a password before its host, or a user in an address of the web, who there is
/// mostly a token.
fn names_password(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = host.rsplit_once('@').map(|(user, _)| user);
    let web = scheme.rsplit('+').next().is_some_and(|scheme| scheme.starts_with("http"));
    user.is_some_and(|user| web || user.contains(':') || user.to_ascii_lowercase().contains("%3a"))
}

impl Export {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Export::InToto(command) => command.run(context),
        }
    }
}

impl InToto {
    fn run(self, context: &Context) -> Result<(), Stop> {
        // What clap refuses it shows, and a password is shown to nobody.
        if self.resource_uri.as_deref().is_some_and(names_password) {
            let help = "leave out what stands before the `@`: everybody reads it in the summary";
            return Err(Stop::fault(
                "the address of `--resource-uri` holds a user or a password",
                help,
            ));
        }
        let named = self.output.as_deref();
        let place = named.map(|folder| new_folder(context, folder)).transpose()?;
        let repository = context.repository()?;
        // Who can't sign learns it before a long verification.
        let signer = (!self.unsigned).then(|| repository.plain_signer()).transpose()?;
        let commit = repository.resolve(&self.rev)?;
        let proposal = repository.verification(&commit.to_string(), None)?;
        let at = self.at.unwrap_or(context.at());
        let report = guard::guard(&repository, &proposal, at, false)?;
        if report.refused() {
            return Err(refuse(&report, &proposal));
        }
        let attested = match &self.task {
            Some(task) => of_task(context, repository, task, commit)?,
            None => self.of_commit(&repository, commit, at)?,
        };
        let lines = attested.map(|one| {
            let Attestation { name, statement } = one?;
            let text = text(&statement, signer.as_ref())?;
            Ok((name, text))
        });
        let mut lines = lines.peekable();
        if lines.peek().is_none() || report.examined.records == 0 {
            let help = "see what there is: `orch handoff list`, `orch audit list`";
            return Err(Stop::denied("nothing on the record can be attested yet", help));
        }
        let (Some(named), Some(place)) = (named, place) else {
            return lines.try_for_each(|line: Result<_, Fault>| {
                show(line?.1);
                Ok(())
            });
        };
        let ending = if self.unsigned { "statement.json" } else { "intoto.jsonl" };
        let count = write_all(&place, ending, lines)?;
        let by =
            signer.as_ref().map(|signer| format!("signed with {}", signer.key().fingerprint()));
        let by = by.unwrap_or_else(|| "unsigned".into());
        say(format!("wrote {} to {}, {by}", many(count, "statement"), named.display()));
        Ok(())
    }

    /// Gives what is attested of a commit, ledger by ledger, the summary last; one ledger is read at a
    /// time, because there may be hundreds of thousands.
    fn of_commit<'r>(
        &self,
        repository: &'r GitRepository,
        commit: Oid,
        at: Moment,
    ) -> Result<Attested<'r>, Stop> {
        let (side, commit) = (Side::Commit(commit), commit.to_string());
        let policy = readable_policy(repository, side)?;
        let policy = policy.expect("a commit without one is not verified").digest;
        let resource = self.resource_uri.as_deref();
        let last = summary(&Verified { commit: &commit, policy, resource, at });
        let each = world::works(repository, side)?.into_iter().flat_map(move |(home, folder)| {
            let attested = world::ledger_at(repository, side, &folder).map(|records| {
                let tasks = records.iter().filter(|_| matches!(home, Home::Task(_)));
                let state = tasks.fold(None, State::after);
                of_ledger(&records, state.as_ref(), &commit)
            });
            match attested {
                Ok(attested) => attested.into_iter().map(Ok).collect(),
                Err(fault) => vec![Err(fault)],
            }
        });
        Ok(Box::new(each.chain([Ok(last)])))
    }
}

/// Attestations, one at a time.
type Attested<'r> = Box<dyn Iterator<Item = Result<Attestation, Fault>> + 'r>;

/// Gives what is attested of one task.
fn of_task(
    context: &Context,
    repository: GitRepository,
    task: &TaskId,
    commit: Oid,
) -> Result<Attested<'static>, Stop> {
    let commit = commit.to_string();
    let proposal = repository.range(&commit, &commit, None)?;
    let view = View::through(context, repository, proposal, Focus::Tasks(vec![task.clone()]))?;
    let (ledger, state) = view.task(task)?;
    Ok(Box::new(of_ledger(&ledger.records, Some(state), &commit).into_iter().map(Ok)))
}

/// Gives a statement as one line.
fn text(statement: &Statement, signer: Option<&PlainSigner>) -> Result<String, Fault> {
    let Some(signer) = signer else { return Ok(json_line(statement)) };
    Ok(json_line(&Envelope::around(statement, |bytes| signer.sign(bytes))?))
}

/// Gives where a folder is to be; refuses one that holds anything, and what is the tool's or Git's own.
fn new_folder(context: &Context, folder: &Path) -> Result<PathBuf, Stop> {
    let place = place_of(context, folder, "attestations").map_err(|stop| match stop {
        Stop::Denied(fault) => {
            Stop::denied(fault.message, "name a new folder, such as attestations")
        }
        other => other,
    })?;
    let taken = match fs::read_dir(&place) {
        Ok(mut inside) => inside.next().is_some(),
        Err(_) => place.exists(),
    };
    match taken {
        true => {
            let message = format!("{} is there already, and holds something", folder.display());
            Err(Stop::denied(message, "name a new folder, or remove this one"))
        }
        false => Ok(place),
    }
}

/// Writes a folder of files whole, or not at all: beside its place first, then moved there. Gives their
/// count.
fn write_all(
    folder: &Path,
    ending: &str,
    files: impl Iterator<Item = Result<(String, String), Fault>>,
) -> Result<usize, Fault> {
    let unable = |error: std::io::Error| {
        let message = format!("{} can't be written: {error}", folder.display());
        Fault::new(message, "make room, or name another folder")
    };
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(unable)?;
    let aside = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent).map_err(unable)?;
    let whole = aside.path().join("whole");
    let mut count = 0;
    for file in files {
        let (name, text) = file?;
        let file = whole.join(format!("{name}.{ending}"));
        fs::create_dir_all(file.parent().unwrap_or(&whole)).map_err(unable)?;
        fs::write(file, text).map_err(unable)?;
        count += 1;
    }
    // An empty folder stands in the way of a move on some systems.
    if folder.is_dir() {
        fs::remove_dir(folder).map_err(unable)?;
    }
    fs::rename(whole, folder).map_err(unable)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found() {
        for good in [
            "git+ssh://git@example.org/lab.git@v1.0",
            "https://x.org:8443/a@b:c",
            "https://x.org?mail=a:b@c",
            "mailto:ada@example.org",
        ] {
            assert!(!names_password(good), "{good}");
        }
        for bad in [
            "https://ada:secret@x.org/lab",
            "git+https://token@x.org/lab.git",
            "ssh://ada:secret@x.org/lab",
            "ssh://ada%3Asecret@x.org/lab",
            "https://a@b:c@x.org",
        ] {
            assert!(names_password(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_has_a_scheme() {
        for good in ["git+https://example.org/lab.git@v1.0", "pkg:npm/lab@1", "https://x.org/a#b"] {
            assert_eq!(uri(good).as_deref(), Ok(good));
        }
        for bad in ["", "lab", "HTTPS://x.org", "https://x.org/a b", ":x", "1a:b", "a:\u{202e}"] {
            assert!(uri(bad).is_err(), "{bad}");
        }
    }
}
