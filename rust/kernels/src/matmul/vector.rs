//! Matrix times vector: no packing, bound by memory.

use super::views::{Matrix, Problem};
use crate::path::multiversion;

/// Elements of the vector, or of the result, kept in the level-1 cache.
const PIECE: usize = 1024;

multiversion! {
    fn dot(x: &[u64], y: &[u64], sum: &mut u64) {
        *sum = x.iter().zip(y).fold(0, |sum, (x, y)| sum.wrapping_add(x.wrapping_mul(*y)));
    }
}

multiversion! {
    fn add_multiple(x: &[u64], factor: u64, sums: &mut [u64]) {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = sum.wrapping_add(factor.wrapping_mul(*x));
        }
    }
}

/// `c += a b` for b of one column.
pub(super) fn multiply(problem: Problem<'_>) {
    let [m, k, _] = problem.shape();
    let Problem { a, b, mut c } = problem;
    let mut buffer = [0u64; PIECE];
    if let Some(columns) = contiguous_columns(a) {
        // Columns of a are contiguous: add up multiples of them.
        for i in (0..m).step_by(PIECE) {
            let sums = &mut buffer[..PIECE.min(m - i)];
            sums.fill(0);
            for p in 0..k {
                if let Some(column) = columns.row(p, i, sums.len()) {
                    add_multiple(column, b.at(p, 0), sums);
                }
            }
            for (t, sum) in sums.iter().enumerate() {
                c.add(i + t, 0, &[*sum]);
            }
        }
        return;
    }
    for p in (0..k).step_by(PIECE) {
        let factors = &mut buffer[..PIECE.min(k - p)];
        for (t, factor) in factors.iter_mut().enumerate() {
            *factor = b.at(p + t, 0);
        }
        for i in 0..m {
            let mut sum = 0;
            if let Some(row) = a.row(i, p, factors.len()) {
                dot(row, factors, &mut sum);
            } else {
                for (t, factor) in factors.iter().enumerate() {
                    sum = u64::wrapping_add(sum, factor.wrapping_mul(a.at(i, p + t)));
                }
            }
            c.add(i, 0, &[sum]);
        }
    }
}

/// The transposed matrix, if its rows are contiguous (and those of `a` are not).
fn contiguous_columns(a: Matrix<'_>) -> Option<Matrix<'_>> {
    let transposed = a.transposed();
    (a.row(0, 0, 0).is_none() && transposed.row(0, 0, 0).is_some()).then_some(transposed)
}
