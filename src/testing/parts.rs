//! A verification finds the same, whatever it was divided into.

use super::story::Teller;
use crate::guard;
use crate::snapshot::{Occasion, Proposal, Side};

/// Verifies all that a story has told by now, in parts of one ledger, of two, and whole.
pub(super) fn verify(teller: &Teller) {
    let repository = teller.repository();
    let all = teller.proposal(&repository, Side::Nothing, Side::Nothing);
    let all = Proposal { changes: Vec::new(), occasion: Occasion::Verification, ..all };
    let verified = |size| guard::verify_by(|_| size, &repository, &all, teller.clock, &|_| {});
    let whole = verified(usize::MAX);
    for size in [1, 2] {
        assert_eq!(verified(size), whole, "in parts of {size}");
    }
}
