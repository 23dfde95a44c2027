//! Matrix times vector: no packing, bound by memory.

use super::views::{Matrix, Problem};
use crate::path::multiversion;

/// Elements of the vector, or of the result, kept in the level-1 cache.
const PIECE: usize = 1024;

multiversion! {
    /// `sums[i] += Σ_t a[from + i, p + t] factors[t]`.
    fn rows(a: Matrix<'_>, from: usize, p: usize, factors: &[u64], sums: &mut [u64]) {
        for (i, sum) in (from..).zip(sums) {
            let product = if let Some(row) = a.row(i, p, factors.len()) {
                dot(row.iter().copied(), factors)
            } else {
                dot((p..).map(|p| a.at(i, p)), factors)
            };
            *sum = sum.wrapping_add(product);
        }
    }
}

#[inline(always)]
fn dot(row: impl Iterator<Item = u64>, factors: &[u64]) -> u64 {
    row.zip(factors).fold(0, |sum, (x, y)| sum.wrapping_add(x.wrapping_mul(*y)))
}

multiversion! {
    /// The same where the columns of a, the rows of `columns`, are contiguous.
    fn multiples(columns: Matrix<'_>, from: usize, p: usize, factors: &[u64], sums: &mut [u64]) {
        for (p, factor) in (p..).zip(factors) {
            if let Some(column) = columns.row(p, from, sums.len()) {
                for (sum, x) in sums.iter_mut().zip(column) {
                    *sum = sum.wrapping_add(factor.wrapping_mul(*x));
                }
            }
        }
    }
}

/// `c += a b` for b of one column.
pub(super) fn multiply(problem: Problem<'_>) {
    let [m, k, _] = problem.shape();
    let Problem { a, b, mut c } = problem;
    let columns = a.transposed();
    let by_columns = a.row(0, 0, 0).is_none() && columns.row(0, 0, 0).is_some();
    let (mut sums, mut factors) = ([0; PIECE], [0; PIECE]);
    for i in (0..m).step_by(PIECE) {
        let sums = &mut sums[..PIECE.min(m - i)];
        sums.fill(0);
        for p in (0..k).step_by(PIECE) {
            let factors = &mut factors[..PIECE.min(k - p)];
            for (p, factor) in (p..).zip(&mut *factors) {
                *factor = b.at(p, 0);
            }
            if by_columns {
                multiples(columns, i, p, factors, sums);
            } else {
                rows(a, i, p, factors, sums);
            }
        }
        for (i, sum) in (i..).zip(&*sums) {
            c.add(i, 0, &[*sum]);
        }
    }
}
