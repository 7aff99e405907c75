//! Two histories, walked together until it is known which commits they share.
//!
//! The order of the walk comes from the commits' dates, which anyone can choose. It decides only
//! how far the walk goes: a colour is never given wrongly, and when a commit that was passed
//! already gets a second one, that is handed down at once to all it was handed down to before.

use std::collections::{BinaryHeap, HashMap};

use gix::ObjectId;

use super::store::{Store, broken};
use crate::snapshot::Fault;

/// Reached from the first commit.
const FIRST: u8 = 1;
/// Reached from the second commit.
const SECOND: u8 = 2;
const BOTH: u8 = FIRST | SECOND;
/// Reached from a commit that has both colours, so no best common ancestor.
const BELOW: u8 = 4;

/// How far dates within what both share may run against the order of the commits, in seconds.
const TOLERANCE: i64 = 24 * 60 * 60;

/// Sorts children before parents: by generation where a commit-graph knows it, then by date.
type Key = (u32, i64);

const UNKNOWN: u32 = u32::MAX;

struct Seen {
    parents: Vec<ObjectId>,
    key: Key,
    colours: u8,
    passed: bool,
}

/// The part of two histories that had to be walked.
pub(super) struct Paint {
    seen: HashMap<ObjectId, Seen>,
    /// Commits that are named as parents and are not here, in a shallow clone.
    missing: HashMap<ObjectId, u8>,
    queue: BinaryHeap<(Key, ObjectId)>,
    /// How many queued commits may still tell something new.
    open: usize,
}

impl Paint {
    /// Walks until everything that only one of two commits reaches is known.
    pub(super) fn walk(store: &Store, first: ObjectId, second: ObjectId) -> Result<Self, Fault> {
        let failed = |error| unwalkable(&error);
        let cached = match store.is_shallow() {
            true => None,
            false => store.repo.commit_graph_if_enabled().map_err(failed)?,
        };
        let mut graph = store.repo.revision_graph(cached.as_ref());
        let (seen, missing) = (HashMap::new(), HashMap::new());
        let mut paint = Paint { seen, missing, queue: BinaryHeap::new(), open: 0 };
        paint.colour(&mut graph, first, FIRST)?;
        paint.colour(&mut graph, second, SECOND)?;
        while paint.open > 0 && paint.pass(&mut graph)? {}
        // What both share lies below here. Unless the dates say that nothing in it can lead back
        // to a commit that looks new, it is walked on.
        if let Some(floor) = paint.floor(store.is_shallow()) {
            while paint.queue.peek().is_some_and(|(key, _)| *key >= floor) {
                paint.pass(&mut graph)?;
            }
        }
        match paint.missing.keys().next() {
            Some(id) if !store.is_shallow() => Err(store.missing(format_args!("commit {id}"))),
            _ => Ok(paint),
        }
    }

    /// Hands the colours of the next commit down to its parents; false at the end.
    fn pass(&mut self, graph: &mut Graph<'_, '_>) -> Result<bool, Fault> {
        let Some((_, id)) = self.queue.pop() else { return Ok(false) };
        let seen = self.seen.get_mut(&id).expect("what is queued was seen");
        seen.passed = true;
        self.open -= usize::from(seen.colours & BELOW == 0);
        let (parents, colours) = (seen.parents.clone(), handed_down(seen.colours));
        for parent in parents {
            self.colour(graph, parent, colours)?;
        }
        Ok(true)
    }

    /// Colours a commit, and what was passed below it.
    fn colour(&mut self, graph: &mut Graph<'_, '_>, id: ObjectId, add: u8) -> Result<(), Fault> {
        let mut stack = vec![(id, add)];
        while let Some((id, add)) = stack.pop() {
            if let Some(colours) = self.missing.get_mut(&id) {
                *colours |= add;
                continue;
            }
            let Some(seen) = self.seen.get_mut(&id) else {
                self.meet(graph, id, add)?;
                continue;
            };
            let before = seen.colours;
            seen.colours |= add;
            if seen.colours == before {
                continue;
            }
            if seen.passed {
                let colours = handed_down(seen.colours);
                stack.extend(seen.parents.iter().map(|parent| (*parent, colours)));
            } else if before & BELOW != seen.colours & BELOW {
                self.open -= 1;
            }
        }
        Ok(())
    }

    /// Takes note of a commit that was not seen before.
    fn meet(&mut self, graph: &mut Graph<'_, '_>, id: ObjectId, colours: u8) -> Result<(), Fault> {
        let found = graph.try_lookup(&id).map_err(|error| unwalkable(&error))?;
        let Some(found) = found else {
            self.missing.insert(id, colours);
            return Ok(());
        };
        let commit = found.to_owned(|| ()).map_err(|error| unwalkable(&error))?;
        let generation = commit.generation.filter(|generation| *generation > 0);
        let key = (generation.unwrap_or(UNKNOWN), commit.commit_time);
        let parents = commit.parents.into_iter().collect();
        self.seen.insert(id, Seen { parents, key, colours, passed: false });
        self.queue.push((key, id));
        self.open += usize::from(colours & BELOW == 0);
        Ok(())
    }

    /// Gives the place in the order behind which nothing can lead to a commit that looks new.
    fn floor(&self, whole: bool) -> Option<Key> {
        if whole {
            return Some((0, i64::MIN));
        }
        let lone = self.seen.values().filter(|seen| seen.colours & BOTH != BOTH);
        let (generation, time) = lone.map(|seen| seen.key).min()?;
        let time = if generation == UNKNOWN { time.saturating_sub(TOLERANCE) } else { i64::MIN };
        Some((generation, time))
    }

    /// Tells whether the second commit reaches this one.
    pub(super) fn second_reaches(&self, id: ObjectId) -> bool {
        self.seen.get(&id).is_some_and(|seen| seen.colours & SECOND != 0)
    }

    /// Gives the commits that both reach and from which no other such commit is known to descend.
    pub(super) fn common(&self) -> Vec<ObjectId> {
        let best = self.seen.iter().filter(|(_, seen)| seen.colours == BOTH);
        let mut best: Vec<_> = best.map(|(id, seen)| (seen.key, *id)).collect();
        best.sort_unstable_by(|one, other| other.cmp(one));
        best.into_iter().map(|(_, id)| id).collect()
    }

    /// Gives the commits that only the second one reaches, with their parents.
    pub(super) fn only_second(self) -> HashMap<ObjectId, Vec<ObjectId>> {
        let lone = self.seen.into_iter().filter(|(_, seen)| seen.colours & BOTH == SECOND);
        lone.map(|(id, seen)| (id, seen.parents)).collect()
    }

    /// Tells whether a commit that this clone lacks may belong to one history and not the other, or
    /// may be where the two meet.
    pub(super) fn is_cut(&self) -> bool {
        self.missing.values().any(|colours| colours & BELOW == 0)
    }

    /// Tells whether a commit that this clone lacks may belong to the second history only.
    pub(super) fn second_is_cut(&self) -> bool {
        self.missing.values().any(|colours| colours & BOTH == SECOND)
    }
}

type Graph<'r, 'c> = gix::revwalk::Graph<'r, 'c, ()>;

fn handed_down(colours: u8) -> u8 {
    if colours & BOTH == BOTH { colours | BELOW } else { colours }
}

fn unwalkable(error: &gix::Error) -> Fault {
    broken(format!("the history can't be walked: {error}"))
}
