//! The same question about many things, asked on every core.

use std::num::NonZero;
use std::thread;

/// Fewer questions than this are answered sooner than a thread begins.
const FEW: usize = 24;

/// Gives the answer about each of these, in their order.
pub fn each<I: Sync, A: Send>(all: &[I], ask: impl Fn(&I) -> A + Sync) -> Vec<A> {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    let threads = if all.len() < FEW { 1 } else { cores() };
    if threads == 1 {
        return all.iter().map(ask).collect();
    }
    let share = all.len().div_ceil(threads);
    let answer = |part: &[I]| part.iter().map(&ask).collect::<Vec<A>>();
    thread::scope(|scope| {
        let (own, others) = all.split_at(share);
        let others: Vec<_> =
            others.chunks(share).map(|part| scope.spawn(|| answer(part))).collect();
        let mut answers = answer(own);
        for other in others {
            answers.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        answers
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order() {
        for count in [0, 1, FEW - 1, FEW, 1_001] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(
                each(&all, |one| one * 2),
                (0..count).map(|one| one * 2).collect::<Vec<_>>()
            );
        }
    }
}
