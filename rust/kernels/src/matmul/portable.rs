//! Plain loops for products too small to pack.

use super::views::Problem;

/// Columns accumulated at a time.
const COLUMNS: usize = 16;

/// `c += a b` without packing.
pub(super) fn multiply(problem: Problem<'_>) {
    let [m, k, n] = problem.shape();
    let Problem { a, b, mut c } = problem;
    for i in 0..m {
        for j in (0..n).step_by(COLUMNS) {
            let width = COLUMNS.min(n - j);
            let mut sums = [0u64; COLUMNS];
            for p in 0..k {
                let factor = a.at(i, p);
                for (t, sum) in sums[..width].iter_mut().enumerate() {
                    *sum = sum.wrapping_add(factor.wrapping_mul(b.at(p, j + t)));
                }
            }
            c.add(i, j, &sums[..width]);
        }
    }
}
