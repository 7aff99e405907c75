//! How many of some durations last how long, counted into fixed buckets.

use serde::Serialize;

/// The upper bounds of the buckets, in seconds: 5 seconds to a week. Five minutes is one of them: what
/// takes longer is slow (R000-54).
pub const BOUNDS: [i64; 14] =
    [5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 345_600, 604_800];

/// How many durations lie at or below each bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Histogram {
    /// How many there are.
    pub count: u64,
    /// All of them, added up, in seconds.
    pub sum_seconds: i64,
    /// How many are at most so long, one for each of [`BOUNDS`]; those that are longer than the last
    /// bound are in `count` alone.
    pub buckets: [Bucket; BOUNDS.len()],
}

/// How many durations are at most so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The bound, in seconds.
    pub at_most: i64,
    /// How many lie at or below it.
    pub count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = BOUNDS.map(|at_most| Bucket { at_most, count: 0 });
        Histogram { count: 0, sum_seconds: 0, buckets }
    }
}

impl Histogram {
    /// Counts one more duration, in seconds.
    pub(super) fn add(&mut self, seconds: i64) {
        self.count += 1;
        self.sum_seconds += seconds;
        for bucket in &mut self.buckets {
            bucket.count += u64::from(seconds <= bucket.at_most);
        }
    }

    /// Gives the mean, in seconds; none of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_seconds as f64 / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bound belongs to what lies below it, as Prometheus counts.
    #[test]
    fn a_duration_is_in_every_bucket_that_is_long_enough() {
        let mut found = Histogram::default();
        assert_eq!(found.mean(), None);
        for seconds in [0, 300, 301, 700_000] {
            found.add(seconds);
        }
        let at_most = |bound: i64| {
            found.buckets.iter().find(|bucket| bucket.at_most == bound).map(|bucket| bucket.count)
        };
        assert_eq!((at_most(5), at_most(300), at_most(900)), (Some(1), Some(2), Some(3)));
        assert_eq!((at_most(604_800), found.count, found.sum_seconds), (Some(3), 4, 700_601));
        assert_eq!(found.mean(), Some(700_601.0 / 4.0));
    }
}
