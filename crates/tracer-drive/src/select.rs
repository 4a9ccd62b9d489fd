//! Which runs are worth keeping: those that take branches no kept run took.

use std::collections::BTreeSet;

use crate::RUNS;

/// The indices of the runs to keep, in their order: the first that reaches something, and each that
/// adds what no kept one covered; at most [`RUNS`], at least one where there is any. Each run is
/// the branches it took, as a site and the arm's text.
pub fn select<Arm: Ord + Clone>(runs: &[BTreeSet<(u32, Arm)>]) -> Vec<usize> {
    let mut covered = BTreeSet::new();
    let mut kept = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        if kept.len() < RUNS && !run.is_subset(&covered) {
            covered.extend(run.iter().cloned());
            kept.push(index);
        }
    }
    if kept.is_empty() && !runs.is_empty() {
        kept.push(0);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::select;
    use std::collections::BTreeSet;

    fn run(arms: &[(u32, bool)]) -> BTreeSet<(u32, bool)> {
        arms.iter().copied().collect()
    }

    #[test]
    fn runs_that_add_branches_are_kept() {
        let runs = [
            run(&[(1, true)]),
            run(&[(1, true)]),
            run(&[(1, false)]),
            run(&[]),
            run(&[(1, true), (2, true)]),
        ];
        assert_eq!(select(&runs), [0, 2, 4]);
        assert_eq!(select(&[run(&[]), run(&[])]), [0]);
        assert_eq!(select::<bool>(&[]), [0; 0]);
        let many: Vec<_> = (0..9).map(|site| run(&[(site, true)])).collect();
        assert_eq!(select(&many), [0, 1, 2, 3, 4]);
    }
}
