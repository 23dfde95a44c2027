//! Matrix products over Z_2^128.
//!
//! With AVX-512 IFMA elements are cut into limbs of 52 bits (`matmul/avx512.rs`). Elsewhere, with
//! x = x_0 + 2^64 x_1, (x y) mod 2^128 = x_0 y_0 + 2^64 (x_0 y_1 + x_1 y_0): the last two products
//! are in Z_2^64 and use its kernels, the first one is wanted in full. Few rows or columns are not
//! worth any packing.

#[cfg(target_arch = "x86_64")]
mod avx512;

use super::{Wide, element, number};
use crate::path::{Path, path};
use crate::{Matrix, MatrixMut, Mismatch};

/// Fewer rows or columns are multiplied one by one.
const NARROW: usize = 4;

/// Inner indices and columns of a block: what is read again stays in the level-2 cache.
const INNER: usize = 512;
const COLUMNS: usize = 64;
/// Rows and columns of a tile of sums.
const TILE: usize = 2;

/// `c += a b` for a (m, k), b (k, n) and c (m, n), rows one after the other.
///
/// # Errors
/// If the sizes do not fit.
#[allow(clippy::cast_possible_wrap)]
pub fn matmul(a: &[Wide], b: &[Wide], k: usize, c: &mut [Wide]) -> Result<(), Mismatch> {
    if c.is_empty() || k == 0 {
        return Ok(());
    }
    let (m, n) = (a.len() / k, b.len() / k);
    if a.len() != m * k || b.len() != n * k || c.len() != m * n {
        return Err(Mismatch("the shapes do not fit a matrix product"));
    }
    if m.min(n) < NARROW {
        narrow(a, b, k, c);
        return Ok(());
    }
    #[cfg(target_arch = "x86_64")]
    if path() == Path::Avx512 {
        // SAFETY: `path()` returns `Avx512` only where all its features were detected.
        unsafe { avx512::multiply(a, b, [m, k, n], c) };
        return Ok(());
    }
    let left: Vec<u64> = a.iter().map(|x| x[0]).collect();
    let right: Vec<u64> = (0..n).flat_map(|j| (0..k).map(move |p| b[p * n + j][0])).collect();
    low_products(&left, &right, k, c)?;
    let (a, b, c) = (a.as_flattened(), b.as_flattened(), c.as_flattened_mut());
    let rows = [2 * k as isize, 2];
    let columns = [2 * n as isize, 2];
    for (x, y) in [(0, 1), (1, 0)] {
        let left = Matrix::new(a, x, [m, k], rows)?;
        let right = Matrix::new(b, y, [k, n], columns)?;
        let high = MatrixMut::new(&mut *c, 1, [m, n], columns)?;
        crate::matmul(left, right, high, true, 1)?;
    }
    Ok(())
}

/// `c += a b` by one product of numbers after the other.
fn narrow(a: &[Wide], b: &[Wide], k: usize, c: &mut [Wide]) {
    let n = b.len() / k;
    for j in 0..n {
        let column: Vec<u128> = b.chunks_exact(n).map(|row| number(row[j])).collect();
        for (row, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
            let products = row.iter().zip(&column).map(|(x, y)| number(*x).wrapping_mul(*y));
            c[j] = element(products.fold(number(c[j]), u128::wrapping_add));
        }
    }
}

/// `c += a b` in full, for the words of a (m, k) and of b transposed, (n, k); c is (m, n).
///
/// # Errors
/// If the sizes do not fit.
fn low_products(a: &[u64], b: &[u64], k: usize, c: &mut [Wide]) -> Result<(), Mismatch> {
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
    use crate::path::set_path;

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

    #[test]
    fn products_of_any_size_on_every_path() {
        let best = Path::best();
        for wanted in [Path::Portable, Path::Avx2, Path::Avx512] {
            if !set_path(wanted) {
                continue;
            }
            for (m, k, n) in [
                (1, 1, 1),
                (3, 9, 40),
                (40, 9, 2),
                (4, 1, 4),
                (9, 257, 17),
                (70, 3, 8),
                (5, 600, 1030),
            ] {
                let words = |count: usize, seed: u64| -> Vec<Wide> {
                    let word =
                        |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) | (i % 3 * (u64::MAX / 2));
                    (0..count as u64).map(|i| [word(i + seed), word(i + 5 * seed)]).collect()
                };
                let (a, b) = (words(m * k, 1), words(n * k, 7));
                let mut c = vec![[1, 2]; m * n];
                matmul(&a, &b, k, &mut c).unwrap();
                for i in (0..m).step_by(1 + m / 9) {
                    for j in (0..n).step_by(1 + n / 19) {
                        let term = |p| number(a[i * k + p]).wrapping_mul(number(b[p * n + j]));
                        let sum = (0..k).map(term).fold(number([1, 2]), u128::wrapping_add);
                        assert_eq!(number(c[i * n + j]), sum, "{wanted:?} {m} {k} {n} {i} {j}");
                    }
                }
            }
            assert!(matmul(&[[1; 2]; 6], &[[1; 2]; 4], 2, &mut [[0; 2]; 5]).is_err());
        }
        set_path(best);
    }

    #[test]
    fn sums_of_the_largest_limbs_do_not_overflow() {
        let (m, k, n) = (4, 1000, 4);
        let mut c = vec![[0, 0]; m * n];
        matmul(&vec![[u64::MAX; 2]; m * k], &vec![[u64::MAX; 2]; k * n], k, &mut c).unwrap();
        assert!(c.iter().all(|c| number(*c) == k as u128));
    }
}
