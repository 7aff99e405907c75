//! No task waits for itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::source::TaskId;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "dependency-cycle",
    group: Group::Flow,
    title: "No task waits for itself",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
Tasks that depend on each other in a circle could never begin. An entry that closes such a circle is
refused, and the way round is told.

```yaml bad
- task: {task_id: data-001, workflow: data_refresh}
- task: {depends_on: [data-001]}
- propose: feature/data-001-validate
- update: {task: data-001, depends_on: [strat-001]}
```

```yaml good
- task: {task_id: data-001, workflow: data_refresh}
- propose: feature/strat-001-strategy
- task: {depends_on: [data-001]}
```
";

fn run(world: &World) -> Vec<Objection> {
    let suspects = in_circles(&world.waits());
    let steps = world.steps().filter(|step| step.task_id().is_some_and(|id| suspects.contains(id)));
    steps.flat_map(|step| circles(world, &step)).collect()
}

/// Gives the tasks that may be part of a circle: those that remain when, again and again, what waits
/// for nothing is taken away. Nearly always none, so that a long list of tasks is judged in one pass.
pub fn in_circles<'w>(waits: &BTreeMap<&'w TaskId, BTreeSet<&'w TaskId>>) -> BTreeSet<&'w TaskId> {
    let mut waited_for: BTreeMap<&TaskId, Vec<&'w TaskId>> = BTreeMap::new();
    let mut left: BTreeMap<&'w TaskId, usize> = BTreeMap::new();
    for (id, others) in waits {
        let known = others.iter().filter(|other| waits.contains_key(*other));
        left.insert(id, known.clone().count());
        known.for_each(|other| waited_for.entry(other).or_default().push(id));
    }
    let free = left.iter().filter(|(_, count)| **count == 0);
    let mut free: Vec<&'w TaskId> = free.map(|(id, _)| *id).collect();
    while let Some(id) = free.pop() {
        left.remove(id);
        for waiting in waited_for.get(id).into_iter().flatten() {
            let count = left.get_mut(*waiting).expect("what waits is taken away last");
            *count -= 1;
            if *count == 0 {
                free.push(waiting);
            }
        }
    }
    left.into_keys().collect()
}

/// Gives the circles that an entry closes.
fn circles(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let depends_on = step.awaits();
    let Some(own) = step.task_id() else { return Vec::new() };
    // A landed circle that was broken since is history: what counts is what is waited for now.
    let now = world.task(own).map(|state| state.task.depends_on.as_slice()).unwrap_or_default();
    let broken = |first: &TaskId| step.policy.is_none() && !now.contains(first);
    let circles = depends_on.iter().enumerate().filter_map(|(index, first)| {
        let way = way_back(world, first, own).filter(|_| !broken(first))?;
        let way: Vec<&str> = [own].into_iter().chain(way).map(TaskId::as_str).collect();
        let message = format!("`{own}` would wait for itself: {}", told(&way));
        let help = match &step.record.payload {
            Payload::Task(_) => format!("open it without `--depends-on {first}`"),
            _ => format!("leave `{first}` out: `{}`", without(own, depends_on, first)),
        };
        let place = step.field(&format!("depends_on.{index}"));
        Some(Objection::new(place, message, help).task(own))
    });
    circles.collect()
}

/// Gives a way in words; of a long one both ends, because each task in a circle tells of it.
fn told(way: &[&str]) -> String {
    const ENDS: usize = 4;
    match way.len().checked_sub(2 * ENDS) {
        None | Some(0 | 1) => way.join(" -> "),
        Some(more) => {
            let (begin, end) = (way[..ENDS].join(" -> "), way[way.len() - ENDS..].join(" -> "));
            format!("{begin} -> ({more} more) -> {end}")
        }
    }
}

/// Gives the command that names every dependency but one.
fn without(own: &TaskId, depends_on: &[TaskId], first: &TaskId) -> String {
    let rest = depends_on.iter().filter(|id| *id != first);
    let rest: String = rest.map(|id| format!(" --depends-on {id}")).collect();
    let rest = if rest.is_empty() { " --independent".into() } else { rest };
    format!("orch task update {own}{rest}")
}

/// Gives the shortest way from a task along `depends_on` to `home`, both included.
fn way_back<'w>(world: &'w World, first: &'w TaskId, home: &'w TaskId) -> Option<Vec<&'w TaskId>> {
    let mut from: BTreeMap<&TaskId, Option<&TaskId>> = BTreeMap::from([(first, None)]);
    let mut open = VecDeque::from([first]);
    while let Some(id) = open.pop_front() {
        if id == home {
            let mut way: Vec<&TaskId> =
                std::iter::successors(Some(id), |id| from.get(id).copied().flatten()).collect();
            way.reverse();
            return Some(way);
        }
        for next in world.task(id).into_iter().flat_map(|state| &state.task.depends_on) {
            if !from.contains_key(next) {
                from.insert(next, Some(id));
                open.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 105: the way round is told, from the task that closes it.
    #[test]
    fn the_whole_circle_is_told() {
        let findings = story(
            "
- task: {task_id: aa, workflow: data_refresh}
- task: {task_id: bb, workflow: data_refresh, depends_on: [aa]}
- task: {task_id: cc, workflow: data_refresh, depends_on: [bb]}
- propose: feature/aa-validate
- update: {task: aa, depends_on: [cc]}
",
        );
        findings.expect(&["dependency-cycle"]);
        assert_eq!(findings.underlined(0), "cc");
        let message = &findings.report.findings[0].message;
        assert_eq!(message, "`aa` would wait for itself: aa -> cc -> bb -> aa");
        let help = &findings.report.findings[0].help;
        assert_eq!(help, "leave `cc` out: `orch task update aa --independent`");
    }

    #[test]
    fn the_smallest_circle_is_one_task() {
        let findings =
            story("- propose: feature/strat-001-strategy\n- task: {depends_on: [strat-001]}\n");
        findings.expect(&["dependency-cycle"]);
        let message = &findings.report.findings[0].message;
        assert_eq!(message, "`strat-001` would wait for itself: strat-001 -> strat-001");
    }

    /// R002-33: two that are opened together, in one change, close a circle as well; each says so.
    #[test]
    fn a_list_of_tasks_that_wait_for_each_other_is_refused() {
        let findings = story(
            "
- propose: feature/aa-validate
- task: {task_id: aa, workflow: data_refresh, depends_on: [bb, cc]}
- task: {task_id: bb, workflow: data_refresh, depends_on: [aa]}
- task: {task_id: cc, workflow: data_refresh}
",
        );
        findings.expect(&["dependency-cycle"]);
        assert_eq!(findings.report.findings.len(), 2);
        let message = |at: usize| findings.report.findings[at].message.as_str();
        assert_eq!(message(0), "`aa` would wait for itself: aa -> bb -> aa");
        assert_eq!(message(1), "`bb` would wait for itself: bb -> aa -> bb");
        assert_eq!(findings.report.findings[0].help, "open it without `--depends-on bb`");
    }

    /// A verification finds a circle whose ledgers it read apart from each other, and nothing in one that was
    /// broken since.
    #[test]
    fn a_verification_finds_a_circle_that_landed() {
        let landed = "
- task: {task_id: aa, workflow: data_refresh}
- task: {task_id: bb, workflow: data_refresh, depends_on: [aa]}
- task: {task_id: cc, workflow: data_refresh, depends_on: [bb]}
- update: {task: aa, depends_on: [cc]}
";
        let findings = story(&format!("{landed}- occasion: verification\n"));
        findings.expect(&["dependency-cycle"]);
        assert_eq!(findings.report.findings.len(), 3);
        let message = &findings.report.findings[0].message;
        assert_eq!(message, "`aa` would wait for itself: aa -> cc -> bb -> aa");
        let broken = "- update: {task: aa, depends_on: []}\n- occasion: verification\n";
        story(&format!("{landed}{broken}")).expect(&[]);
    }

    #[test]
    fn a_long_way_is_told_by_its_ends() {
        let ids: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
        let way: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(super::told(&way[..9]), way[..9].join(" -> "));
        let told = "t0 -> t1 -> t2 -> t3 -> (4 more) -> t8 -> t9 -> t10 -> t11";
        assert_eq!(super::told(&way), told);
    }

    /// Two that share a dependency are no circle.
    #[test]
    fn a_diamond_is_no_circle() {
        story(
            "
- propose: feature/dd-validate
- task: {task_id: aa, workflow: data_refresh}
- task: {task_id: bb, workflow: data_refresh, depends_on: [aa]}
- task: {task_id: cc, workflow: data_refresh, depends_on: [aa]}
- task: {task_id: dd, workflow: data_refresh, depends_on: [bb, cc]}
",
        )
        .expect(&[]);
    }
}
