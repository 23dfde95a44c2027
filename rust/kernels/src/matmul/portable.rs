//! Products with the multiplication of the target: a micro-kernel, and loops for tiny products.

use super::blocked::{self, Kernel, Panel};
use super::views::Problem;

/// Rows and columns of a tile.
const MR: usize = 4;
const NR: usize = 4;

struct Scalar;

impl Kernel for Scalar {
    const MR: usize = MR;
    const NR: usize = NR;
    const KC: usize = 256;
    const MC: usize = 128;

    #[inline(always)]
    fn tile(a: Panel<'_>, b: Panel<'_>, tile: &mut [u64]) {
        let mut sums = [[0u64; NR]; MR];
        let (a, b) = (a.elements.as_chunks::<MR>().0, b.elements.as_chunks::<NR>().0);
        for (a, b) in a.iter().zip(b) {
            for (sums, a) in sums.iter_mut().zip(a) {
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = sum.wrapping_add(a.wrapping_mul(*b));
                }
            }
        }
        tile.copy_from_slice(sums.as_flattened());
    }
}

/// `c += a b`.
pub(super) fn multiply(problem: Problem<'_>) {
    blocked::multiply::<Scalar>(problem);
}

/// Columns of a tiny product accumulated at a time.
const COLUMNS: usize = 16;

/// `c += a b` without packing.
pub(super) fn multiply_tiny(problem: Problem<'_>) {
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
