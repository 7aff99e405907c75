//! The id of a run, derived from what it consumes, so that the same submission has the same id
//! (R001-13, R001-18).

use crate::record::kind::Artifact;
use crate::source::{Digest, RunId, StageName, TaskId};

/// Gives the id: `r` and ten hex digits of SHA-256 over the task, the stage, the sorted
/// `name=path@checksum` of the inputs, and how many times the task has entered the stage.
pub fn run_id(task: &TaskId, stage: &StageName, inputs: &[Artifact], entered: u32) -> RunId {
    let mut consumed: Vec<String> = inputs
        .iter()
        .map(|input| format!("{}={}@{}", input.name, input.path, input.checksum))
        .collect();
    consumed.sort();
    let text = format!("{task}\n{stage}\n{}\n{entered}\n", consumed.join("\n"));
    let hex = Digest::of(text.as_bytes()).hex();
    format!("r{}", &hex[..10]).parse().expect("a letter and ten hex digits are an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(name: &str, bytes: &[u8]) -> Artifact {
        Artifact {
            name: name.parse().expect("a name"),
            path: name.into(),
            checksum: Digest::of(bytes),
        }
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let task = "strat-001".parse().expect("an id");
        let stage = "backtest".parse().expect("a name");
        let (a, b) = (artifact("a", b"1"), artifact("b", b"2"));
        let id = run_id(&task, &stage, &[a.clone(), b.clone()], 1);
        assert_eq!(id, run_id(&task, &stage, &[b.clone(), a.clone()], 1));
        assert_ne!(id, run_id(&task, &stage, &[a.clone(), b.clone()], 2));
        assert_ne!(id, run_id(&task, &stage, std::slice::from_ref(&a), 1));
        assert_ne!(id, run_id(&task, &stage, &[a, artifact("b", b"3")], 1));
        assert_eq!(id.as_str().len(), 11);
    }
}
