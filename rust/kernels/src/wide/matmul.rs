//! The part of a matrix product that Z_2^64 has no kernel for.
//!
//! With x = x_0 + 2^64 x_1, (x y) mod 2^128 = x_0 y_0 + 2^64 (x_0 y_1 + x_1 y_0): the last two
//! products are in Z_2^64 and use its kernels. The first one is wanted in full.

use super::{Wide, element, number};
use crate::Mismatch;

/// Inner indices and columns of a block: what is read again stays in the level-2 cache.
const INNER: usize = 512;
const COLUMNS: usize = 64;
/// Rows and columns of a tile of sums.
const TILE: usize = 2;

/// `c += a b` in full, for the words of a (m, k) and of b transposed, (n, k); c is (m, n).
///
/// # Errors
/// If the sizes do not fit.
pub fn low_products(a: &[u64], b: &[u64], k: usize, c: &mut [Wide]) -> Result<(), Mismatch> {
    if c.is_empty() || k == 0 {
        return Ok(());
    }
    let (m, n) = (a.len() / k, b.len() / k);
    if a.len() != m * k || b.len() != n * k || c.len() != m * n {
        return Err(Mismatch("the shapes do not fit a matrix product"));
    }
    for p in (0..k).step_by(INNER) {
        let q = k.min(p + INNER);
        for j in (0..n).step_by(COLUMNS) {
            let columns = n.min(j + COLUMNS);
            for i in (0..m).step_by(TILE) {
                let rows: [&[u64]; TILE] = row_pair(a, i.min(m - 1), m, k, p, q);
                for j in (j..columns).step_by(TILE) {
                    let others = row_pair(b, j, n, k, p, q);
                    let sums = tile(rows, others);
                    for (t, sums) in sums.iter().enumerate().take(m - i) {
                        for (u, sum) in sums.iter().enumerate().take(n - j) {
                            let place = &mut c[(i + t) * n + j + u];
                            *place = element(number(*place).wrapping_add(*sum));
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// Elements p to q of rows i and i + 1; the last row stands in for one beyond the end.
#[inline(always)]
fn row_pair(a: &[u64], i: usize, rows: usize, k: usize, p: usize, q: usize) -> [&[u64]; TILE] {
    [i, rows.min(i + 2) - 1].map(|i| &a[i * k + p..i * k + q])
}

#[inline(always)]
fn tile(a: [&[u64]; TILE], b: [&[u64]; TILE]) -> [[u128; TILE]; TILE] {
    let mut sums = [[0u128; TILE]; TILE];
    let values = a[0].iter().zip(a[1]).zip(b[0].iter().zip(b[1]));
    for ((a_0, a_1), (b_0, b_1)) in values {
        for (sums, a) in sums.iter_mut().zip([a_0, a_1]) {
            for (sum, b) in sums.iter_mut().zip([b_0, b_1]) {
                *sum = sum.wrapping_add(u128::from(*a) * u128::from(*b));
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_and_blocks_add_up() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (2, 513, 65), (5, 1030, 67), (4, 0, 3)] {
            let words = |count: usize, seed: u64| -> Vec<u64> {
                (0..count as u64).map(|i| (i + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
            };
            let (a, b) = (words(m * k, 1), words(n * k, 7));
            let mut c = vec![[1, 2]; m * n];
            low_products(&a, &b, k, &mut c).unwrap();
            for i in 0..m {
                for j in 0..n {
                    let terms = (0..k).map(|p| u128::from(a[i * k + p]) * u128::from(b[j * k + p]));
                    let sum = terms.fold(number([1, 2]), u128::wrapping_add);
                    assert_eq!(number(c[i * n + j]), sum, "{m} {k} {n} {i} {j}");
                }
            }
        }
        assert!(low_products(&[1; 6], &[1; 4], 2, &mut [[0; 2]; 5]).is_err());
    }
}
