//! The honest way: what agents do stage by stage when nobody goes round anything.

use serde_json::json;

use super::story::Teller;

impl Teller {
    /// Brings `strat-001` honestly up to a stage, with the data it consumes.
    pub(super) fn done(&mut self, until: &str) {
        if !self.has_task("strat-001") {
            if until != "strategy" {
                if !self.has_task("data-001") {
                    self.data();
                }
                self.tell("task", json!({"depends_on": ["data-001"]}));
            } else {
                self.tell("task", json!({}));
            }
        }
        for stage in ["strategy", "backtest", "audit", "deploy_paper", "deploy_live"] {
            if stage == until {
                return;
            }
            self.stage(stage);
        }
        assert_eq!(until, "end", "no such stage");
    }

    fn has_task(&self, task: &str) -> bool {
        self.files.keys().any(|path| path.to_string().contains(&format!("/{task}/")))
    }

    pub(super) fn data(&mut self) {
        self.tell("task", json!({"task_id": "data-001", "workflow": "data_refresh"}));
        self.tell("run", json!({"task": "data-001"}));
        self.tell("write", json!({"data/manifests/btc.json": "{\"rows\": 1000}"}));
        self.tell("handoff", json!({"task": "data-001", "task_id": "data-001"}));
        self.tell("gate", json!({"task": "data-001"}));
        self.tell("close", json!({"task": "data-001", "outcome": "completed", "reason": "done"}));
    }

    fn stage(&mut self, stage: &str) {
        let files = match stage {
            "strategy" => json!({"strategies/sma.py": "code", "docs/strategies/sma.md": "about"}),
            "backtest" => {
                json!({"research/reports/sma.json": "{\"trades\": 42, \"max_drawdown\": 0.1}"})
            }
            "deploy_paper" => json!({"deploy/paper/sma.json": "{\"pnl\": 1}"}),
            _ => json!({}),
        };
        if stage == "deploy_live" {
            self.tell("approval", json!({}));
        }
        self.tell("run", json!({}));
        self.tell("write", files);
        let result = if stage == "audit" { "audit_report" } else { "handoff" };
        self.tell(result, json!({}));
        self.tell("gate", json!({}));
    }
}
