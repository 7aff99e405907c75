//! Plans over tasks made up on the spot: what no plan may do, and what each rule is for.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::agenda::order_phases;
use super::{Item, Kind, Obstacle, Plan, Refusal, Stands, first_wave, plan};
use crate::policy::{Policy, Scope};
use crate::record::kind::{Priority, Task};
use crate::source::TaskId;

fn policy() -> Policy {
    let text = include_bytes!("../../templates/trader.yaml");
    Policy::parse(text, &crate::checks::names()).expect("a policy")
}

fn id(text: &str) -> TaskId {
    text.parse().expect("an id")
}

/// A ready task of an hour, in the code lane, of an agent of its own.
fn item(name: &str, scope: &str, depends_on: &[&str]) -> Item {
    let task = serde_json::json!({
        "task_id": name, "title": "A change", "workflow": "implementation",
        "requestor": "owner", "depends_on": depends_on,
    });
    let task: Task = serde_json::from_value(task).expect("a task");
    let waits_for = task.depends_on.clone();
    Item {
        stage: Some("implement".parse().expect("a name")),
        lane: Some("code".parse().expect("a name")),
        agent: Some(format!("agent-of-{name}").parse().expect("a name")),
        assigned: true,
        group: None,
        scope: Scope::new(&[scope.to_owned()]).expect("a glob"),
        stands: if waits_for.is_empty() { Stands::Ready } else { Stands::Waits },
        waits_for,
        behind: Vec::new(),
        branch: None,
        expected: TimeDelta::hours(1),
        task,
    }
}

fn waves(plan: &Plan<'_>) -> Vec<Vec<String>> {
    let names = |wave: &super::Wave<'_>| {
        let mut names: Vec<String> =
            wave.tasks.iter().map(|placed| placed.item.task.task_id.to_string()).collect();
        names.sort();
        names
    };
    plan.waves.iter().map(names).collect()
}

/// R002-7: what depends on nothing, what shares its wave, what stands alone.
#[test]
fn kinds_tell_how_tasks_relate() {
    let items = [
        item("aa", "src/a/**", &[]),
        item("bb", "src/b/**", &["aa"]),
        item("cc", "src/c/**", &["aa"]),
        item("dd", "src/d/**", &["bb", "cc"]),
    ];
    let plan = plan(&policy(), &items, usize::MAX);
    assert_eq!(waves(&plan), [vec!["aa"], vec!["bb", "cc"], vec!["dd"]]);
    let kinds: Vec<Kind> = plan.waves.iter().map(|wave| wave.tasks[0].kind).collect();
    assert_eq!(kinds, [Kind::Independent, Kind::DomainSpecific, Kind::Sequential]);
    assert_eq!((plan.one_by_one, plan.as_planned), (TimeDelta::hours(4), TimeDelta::hours(3)));
    let path: Vec<&str> = plan.critical_path.iter().map(|id| id.as_str()).collect();
    assert!(matches!(path[..], ["aa", "bb" | "cc", "dd"]), "{path:?}");
}

/// R002-37: the one that waits for a scope says for which, and is sequential.
#[test]
fn scopes_that_touch_are_kept_apart() {
    let items = [item("aa", "src/**/x.py", &[]), item("bb", "src/b/*", &[])];
    let plan = plan(&policy(), &items, usize::MAX);
    assert_eq!(waves(&plan), [vec!["aa"], vec!["bb"]]);
    let late = &plan.waves[1].tasks[0];
    assert_eq!(late.kind, Kind::Sequential);
    let (own, its) = ("src/b/*".to_owned(), "src/**/x.py".to_owned());
    assert_eq!(late.because, Some(Refusal::Scope(id("aa"), own, its)));
}

/// R002-18, R002-44: an emergency goes first, and no limit of its kind holds it back.
#[test]
fn an_emergency_goes_first() {
    let mut items: Vec<Item> =
        (0..4).map(|n| item(&format!("t{n}"), &format!("src/{n}/**"), &[])).collect();
    for item in &mut items {
        item.group = Some("validation".into());
    }
    let plan_of = |items: &[Item]| waves(&plan(&policy(), items, usize::MAX));
    assert_eq!(plan_of(&items).len(), 4, "one validation at a time");
    items[3].task.priority = Priority::Emergency;
    assert_eq!(plan_of(&items)[0], ["t0", "t3"]);
    let order = first_wave(&policy(), &items, 1);
    assert_eq!(order[0].item.task.task_id, id("t3"));
}

/// R002-32: a phase waits for the one before it, except where a task says what it needs.
#[test]
fn phases_overlap_only_where_it_is_said_what_is_needed() {
    let phase = |mut item: Item, phase: &str| {
        item.task.phase = Some(phase.into());
        item
    };
    let mut items = [
        phase(item("aa", "src/a/**", &[]), "discovery"),
        phase(item("bb", "src/b/**", &["aa"]), "discovery"),
        phase(item("cc", "src/c/**", &["aa"]), "implementation"),
        phase(item("dd", "src/d/**", &[]), "implementation"),
    ];
    order_phases(&policy(), &mut items);
    let plan = plan(&policy(), &items, usize::MAX);
    assert_eq!(waves(&plan), [vec!["aa"], vec!["bb", "cc"], vec!["dd"]]);
    // Who asks for one phase only does not begin it before its time.
    assert_eq!(super::plan(&policy(), &items[3..], usize::MAX).waves.len(), 0);
}

/// What waits for a task that can't be planned can't be planned either.
#[test]
fn what_is_held_holds_others() {
    let obstacle = Obstacle { check: "task-paused", message: "m".into(), help: "h".into() };
    let mut items = [
        item("aa", "src/a/**", &[]),
        item("bb", "src/b/**", &["aa"]),
        item("cc", "src/c/**", &["nowhere"]),
        item("dd", "src/d/**", &[]),
    ];
    items[0].stands = Stands::Held(vec![obstacle]);
    let plan = plan(&policy(), &items, usize::MAX);
    assert_eq!(waves(&plan), [vec!["dd"]]);
    let held: Vec<&str> = plan.held.iter().map(|item| item.task.task_id.as_str()).collect();
    assert_eq!(held, ["aa", "bb", "cc"]);
}

/// A task whose agent is busy goes to the backup, unless somebody was named for it.
#[test]
fn the_backup_takes_what_the_first_is_too_busy_for() {
    let of_backend = |name: &str, scope: &str| {
        let agent = Some("backend-developer".parse().expect("a name"));
        Item { agent, assigned: false, ..item(name, scope, &[]) }
    };
    let mut items = [of_backend("aa", "src/a/**"), of_backend("bb", "src/b/**")];
    let plan_of = |items: &[Item]| {
        let plan = plan(&policy(), items, usize::MAX);
        let all = plan.waves.iter().map(|wave| {
            wave.tasks.iter().map(|placed| placed.agent.clone().expect("one").to_string()).collect()
        });
        all.collect::<Vec<Vec<String>>>()
    };
    assert_eq!(plan_of(&items), [["backend-developer", "python-pro"]]);
    items[1].assigned = true;
    assert_eq!(plan_of(&items), [["backend-developer"], ["backend-developer"]]);
}

/// Tasks with random prerequisites, scopes, agents and kinds; no task waits for one behind it.
fn any_items() -> impl Strategy<Value = Vec<Item>> {
    let scopes = ["src/a/**", "src/**", "src/a/x", "src/*/x", "src/b/**", "src/[bc]/*", "src/d/?"];
    let one = (0..scopes.len(), 0..3_usize, any::<[bool; 6]>(), 0..4_i64, 0..3_usize);
    proptest::collection::vec(one, 0..9).prop_map(move |all| {
        let named = |n: usize| format!("t{n}");
        let made = all.into_iter().enumerate().map(|(n, (scope, agent, waits, hours, group))| {
            let depends: Vec<String> =
                (0..n.min(6)).filter(|other| waits[*other]).map(named).collect();
            let depends: Vec<&str> = depends.iter().map(String::as_str).collect();
            let mut item = item(&named(n), scopes[scope], &depends);
            item.agent = Some(format!("agent-{agent}").parse().expect("a name"));
            item.group = ["validation", "implementation"].get(group).map(|g| (*g).to_owned());
            item.expected = TimeDelta::hours(hours + 1);
            item
        });
        made.collect()
    })
}

proptest! {
    /// Whatever the tasks: all are planned once, behind what they wait for; nothing runs beside what
    /// it could disturb; no limit is passed; and it takes no longer than one by one, and no less
    /// than the critical path.
    #[test]
    fn every_plan_keeps_its_promises(items in any_items(), parallel in 1_usize..5) {
        let policy = policy();
        let plan = plan(&policy, &items, parallel);
        let mut done: BTreeSet<&TaskId> = BTreeSet::new();
        for wave in &plan.waves {
            prop_assert!(wave.tasks.len() <= parallel);
            for (n, placed) in wave.tasks.iter().enumerate() {
                for waits in &placed.item.waits_for {
                    prop_assert!(done.contains(waits));
                }
                for other in &wave.tasks[..n] {
                    prop_assert!(!placed.item.scope.meets(&other.item.scope));
                    prop_assert_ne!(&placed.agent, &other.agent);
                }
            }
            let of = |group: &str| {
                wave.tasks.iter().filter(|p| p.item.group.as_deref() == Some(group)).count()
            };
            prop_assert!(of("validation") <= 1 && of("implementation") <= 4);
            for placed in &wave.tasks {
                prop_assert!(done.insert(&placed.item.task.task_id));
            }
        }
        prop_assert_eq!(done.len(), items.len());
        prop_assert!(plan.as_planned <= plan.one_by_one);
        let hours = |id: &&TaskId| {
            items.iter().find(|item| item.task.task_id == **id).map(|item| item.expected)
        };
        let longest: TimeDelta = plan.critical_path.iter().filter_map(hours).sum();
        prop_assert!(plan.as_planned >= longest);
        if parallel == 1 {
            prop_assert_eq!(plan.as_planned, plan.one_by_one);
        }
    }
}
