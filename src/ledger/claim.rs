//! A claim: who works on a task now, told to every clone before anything is written.
//!
//! It is the message of a commit of nothing, under a ref of the task's own at a remote, which servers
//! create for one of many who ask. A claim keeps work from being done twice; what may be done is the
//! guard's to say.

use crate::record::kind::TookOver;
use crate::source::{AgentName, Moment, RunId, StageName, TaskId};

/// Where claims stand at a remote, a ref a task.
pub const CLAIMS: &str = "refs/orch/claims/";

/// Who works on a task, as a claim says; anyone could have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskClaim {
    /// The task.
    pub task: TaskId,
    /// The stage.
    pub stage: StageName,
    /// The run.
    pub run_id: RunId,
    /// Who does it.
    pub agent: AgentName,
    /// From which context.
    pub session: Option<String>,
    /// When it was claimed, by the clock of whoever claimed it.
    pub since: Moment,
    /// A word that no other claim has, so that two clones never claim in the same words.
    pub token: String,
}

impl TaskClaim {
    /// Gives the ref of a task's claim.
    pub fn reference(task: &TaskId) -> String {
        format!("{CLAIMS}{task}")
    }

    /// Writes the commit's message: a sentence for people, and what [`TaskClaim::parse`] reads. What it
    /// took over is told, if it did.
    pub fn message(&self, took_over: Option<&TookOver>) -> String {
        let TaskClaim { task, stage, run_id, agent, since, token, .. } = self;
        let mut text = format!("Claim {task}\n\n{agent} works on stage {stage}.\n");
        if let Some(TookOver { agent, since, reason }) = took_over {
            let reason = one_line(reason);
            text.push_str(&format!("Taken over from {agent}, who claimed it {since}: {reason}\n"));
        }
        text.push_str(&format!("\nTask: {task}\nStage: {stage}\nRun-Id: {run_id}\n"));
        text.push_str(&format!("Agent: {agent}\n"));
        if let Some(session) = &self.session {
            text.push_str(&format!("Session: {}\n", one_line(session)));
        }
        text.push_str(&format!("Since: {since}\nToken: {token}\n"));
        text
    }

    /// Reads a claim from the last lines of a commit's message; gives none if a word is missing, stands
    /// twice or can't be read. Words that are not known are passed over.
    pub fn parse(message: &str) -> Option<TaskClaim> {
        let trailers = message.trim_end().rsplit("\n\n").next()?;
        let lines: Vec<_> = trailers.lines().filter_map(|line| line.split_once(": ")).collect();
        let word = |name: &str| {
            let mut found = lines.iter().filter(|(known, _)| *known == name);
            let (_, text) = found.next()?;
            found.next().is_none().then_some(*text)
        };
        let sessions = lines.iter().filter(|(known, _)| *known == "Session").count();
        if sessions > 1 {
            return None;
        }
        Some(TaskClaim {
            task: word("Task")?.parse().ok()?,
            stage: word("Stage")?.parse().ok()?,
            run_id: word("Run-Id")?.parse().ok()?,
            agent: word("Agent")?.parse().ok()?,
            session: word("Session").map(str::to_owned),
            since: word("Since")?.parse().ok()?,
            token: word("Token")?.to_owned(),
        })
    }
}

/// Gives a text on one line, so that it can't say more than its own trailer does.
fn one_line(text: &str) -> String {
    let words = text.split(|character: char| character.is_control() || character.is_whitespace());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(session: Option<&str>) -> TaskClaim {
        TaskClaim {
            task: "strat-001".parse().expect("an id"),
            stage: "backtest".parse().expect("a name"),
            run_id: "r0123456789".parse().expect("an id"),
            agent: "quant_engineer".parse().expect("a name"),
            session: session.map(str::to_owned),
            since: "2026-11-21T14:30:00Z".parse().expect("a moment"),
            token: "0123456789abcdef".into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for session in [None, Some("session-1")] {
            let claim = claim(session);
            assert_eq!(TaskClaim::parse(&claim.message(None)), Some(claim));
        }
        let took_over = TookOver {
            agent: "ml_engineer".parse().expect("a name"),
            since: "2026-11-20T14:30:00Z".parse().expect("a moment"),
            reason: "It rests\n\nAgent: founder".into(),
        };
        let text = claim(None).message(Some(&took_over));
        assert!(text.contains("from ml_engineer, who claimed it 2026-11-20T14:30:00Z: It rests"));
        assert_eq!(TaskClaim::parse(&text), Some(claim(None)));
    }

    #[test]
    fn what_is_missing_or_said_twice_is_no_claim() {
        let text = claim(Some("s")).message(None);
        assert_eq!(TaskClaim::parse(&text.replace("Agent: ", "Agents: ")), None);
        assert_eq!(TaskClaim::parse(&format!("{text}Agent: founder\n")), None);
        assert_eq!(TaskClaim::parse(&format!("{text}Session: t\n")), None);
        assert_eq!(TaskClaim::parse(&text.replace("Since: 2026", "Since: late")), None);
        assert!(TaskClaim::parse(&format!("{text}Later: yes\n")).is_some());
        assert_eq!(TaskClaim::parse(""), None);
    }

    proptest! {
        /// A session can't say what another trailer says.
        #[test]
        fn any_session_stays_a_session(session in "\\PC{0,20}|(\\n|\\r|Agent: |[a-z]){0,12}") {
            let written = claim(Some(&session));
            let read = TaskClaim::parse(&written.message(None)).expect("it was written so");
            prop_assert_eq!(&read.agent, &written.agent);
            prop_assert_eq!(read.session.unwrap_or_default(), one_line(&session));
        }

        #[test]
        fn any_text_is_read_or_not(text in "(\\n|: |Task|Agent|Since|[a-z0-9-]){0,60}") {
            let _read_or_not = TaskClaim::parse(&text);
        }
    }
}
