//! The bundle of an implementation: exactly repository, base, head, candidateId, stage and
//! artifactPath, in YAML or JSON (R001-36). The candidate's id is the task's.

use super::{Claim, Signal};
use crate::record::kind::Bundle;
use crate::record::{self, Problem};

/// Reads the document.
pub(super) fn read(bytes: &[u8]) -> Result<Signal, Vec<Problem>> {
    let (bundle, _) = record::document::<Bundle>(bytes)?;
    Ok(Signal {
        stage: Some(bundle.stage.clone()),
        artifacts: vec![Claim { name: None, path: bundle.artifact_path.clone(), checksum: None }],
        bundle: Some(bundle.clone()),
        ..Signal::about(bundle.candidate_id)
    })
}
