//! The smallest words of the house: paths, spans, digests, ids and moments.
//!
//! Nothing here knows Git, YAML or policy; every other room may import this one.

pub mod count;
pub mod digest;
pub mod id;
pub mod markup;
pub mod moment;
pub mod path;
pub mod span;

pub use count::many;
pub use digest::Digest;
pub use id::{
    ActionName, AgentName, ArtifactName, JobName, LaneName, ProbeName, RunId, StageName, TaskId,
    WorkflowName,
};
pub use moment::{CLOCK_TOLERANCE, Moment};
pub use path::RepoPath;
pub use span::{Position, Span};
