//! The policies that `orch init` begins with, and what it writes beside them.

use crate::render::Marks;

/// A template's name, what it is for, and its text.
pub(super) const TEMPLATES: &[(&str, &str, &str)] = &[
    ("team", "build, review, release", include_str!("../../templates/team.yaml")),
    (
        "strategy",
        "trading strategies and models, past an independent auditor",
        include_str!("../../templates/strategy.yaml"),
    ),
    (
        "model",
        "a model, from data through training past an independent auditor",
        include_str!("../../templates/model.yaml"),
    ),
    (
        "torghut",
        "an autonomous trading loop in six lanes, past a gatekeeper, watched and taken back",
        include_str!("../../templates/torghut.yaml"),
    ),
    (
        "hedge",
        "a trading day by the exchange's calendar, with risk, compliance and people to approve",
        include_str!("../../templates/hedge.yaml"),
    ),
    (
        "trader",
        "a fleet of coding agents: discovery, implementation, validation",
        include_str!("../../templates/trader.yaml"),
    ),
];

/// Between these lines, `AGENTS.md` holds what an agent must know.
pub(super) const AGENTS_MARKS: Marks =
    Marks { begin: "<!-- orch: begin -->", end: "<!-- orch: end -->" };

/// What an agent must read to begin; kept under 300 tokens.
pub(super) const AGENTS: &str = "\
## Working here: orch

Work passes from agent to agent through stages. Records in `.orch/` are written by `orch`, never
by hand, and never changed. A Git hook and CI refuse what does not hold.

1. Say who you are: `export ORCH_AGENT=<your agent's name>` and `export ORCH_SESSION=<an id of this context>`.
2. `orch next` tells what you should do now, as commands.
3. `orch run start TASK` begins your stage on its own branch. Change only files of your lane.
4. `orch handoff create TASK --message '…'` seals your artifacts for the next agent.
5. `git commit`. If it is refused, do what the `help:` line says; `orch explain CHECK` tells why.

A sealed file that must change again needs a new handoff. Never use `--no-verify`: CI judges the
same.
";
