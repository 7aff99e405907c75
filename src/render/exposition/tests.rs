//! Both formats, read strictly.

use super::*;
use crate::report::measures;
use crate::testing::world;

const SOME: &str = "
- data: {}
- done: {until: audit}
- run: {}
- task: {task_id: data-002, workflow: data_refresh}
- run: {task: data-002}
- run: {task: data-002, status: failed, failure: {class: transient, reason: network}}
- incident: {severity: \"worst\\\"\\n\\\\\"}
- halt: {topic: risk.kill_switch}
";

fn both() -> (String, String) {
    let world = world(SOME);
    let found = measures(&world, None);
    (open_metrics(&found, &world.policy, world.at), prometheus(&found, &world.policy, world.at))
}

/// The two formats say the same in their own words.
#[test]
fn both_formats_have_the_same_rows() {
    let (open, text) = both();
    assert!(open.ends_with("# EOF\n") && !text.contains("# EOF") && !text.contains("# UNIT"));
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(rows(&open), rows(&text));
    assert!(open.contains("# TYPE orch_failure counter\n"));
    assert!(text.contains("# TYPE orch_failure_total counter\n"));
    assert!(open.contains("# UNIT orch_stage_duration_seconds seconds\n"));
}

/// Labels are words of the policy and of ours; neither a task nor a run nor a text of a record is one.
#[test]
fn labels_are_few() {
    let (_, text) = both();
    assert!(!text.contains("strat-001") && !text.contains("data-002") && !text.contains("worst"));
    assert!(text.contains("orch_incidents_open{project=\"strategies\",severity=\"other\"} 1"));
    assert!(
        text.contains("orch_halts_standing{project=\"strategies\",topic=\"risk.kill_switch\"} 1")
    );
    let failed =
        "orch_failure_total{project=\"strategies\",workflow=\"data_refresh\",stage=\"validate\",";
    assert!(text.contains(&format!("{failed}failure_class=\"transient\"}} 1\n")), "{text}");
    assert!(text.contains(&format!("{failed}failure_class=\"spec\"}} 0\n")), "{text}");
}
