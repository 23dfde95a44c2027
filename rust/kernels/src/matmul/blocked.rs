//! Blocked product: panels packed for the caches, tiles computed by a micro-kernel.

use super::views::{Matrix, Problem};
use crate::path::multiversion;

/// Rows and columns of a tile.
const MR: usize = 4;
const NR: usize = 16;
/// Block sizes: rows of a, the inner dimension, columns of b.
const MC: usize = 128;
const KC: usize = 256;
const NC: usize = 1024;

multiversion! {
    /// `tile = a b` for a packed panel of each.
    fn micro(a: &[[u64; MR]], b: &[[u64; NR]], tile: &mut [[u64; NR]; MR]) {
        let mut sums = [[0u64; NR]; MR];
        for (a, b) in a.iter().zip(b) {
            for i in 0..MR {
                for j in 0..NR {
                    sums[i][j] = sums[i][j].wrapping_add(a[i].wrapping_mul(b[j]));
                }
            }
        }
        *tile = sums;
    }
}

/// Pack rows `p..p + kc` of b, columns `j..j + nc`, into panels of NR columns.
fn pack<const R: usize>(m: Matrix<'_>, p: usize, kc: usize, j: usize, nc: usize, out: &mut Vec<[u64; R]>) {
    out.clear();
    for j in (j..j + nc).step_by(R) {
        for p in p..p + kc {
            let mut row = [0; R];
            let end = m.shape[1].min(j + R);
            if let Some(values) = m.row(p, j, end - j) {
                row[..end - j].copy_from_slice(values);
            } else {
                for (t, value) in row[..end - j].iter_mut().enumerate() {
                    *value = m.at(p, j + t);
                }
            }
            out.push(row);
        }
    }
}

/// `c += a b`.
pub(super) fn multiply(problem: Problem<'_>) {
    let [m, k, n] = problem.shape();
    let Problem { a, b, mut c } = problem;
    let a = a.transposed();
    let (mut a_packed, mut b_packed) = (Vec::new(), Vec::new());
    for j in (0..n).step_by(NC) {
        let nc = NC.min(n - j);
        for p in (0..k).step_by(KC) {
            let kc = KC.min(k - p);
            pack::<NR>(b, p, kc, j, nc, &mut b_packed);
            for i in (0..m).step_by(MC) {
                let mc = MC.min(m - i);
                pack::<MR>(a, p, kc, i, mc, &mut a_packed);
                for (jj, b_panel) in b_packed.chunks_exact(kc).enumerate() {
                    for (ii, a_panel) in a_packed.chunks_exact(kc).enumerate() {
                        let mut tile = [[0; NR]; MR];
                        micro(a_panel, b_panel, &mut tile);
                        let (row, col) = (i + ii * MR, j + jj * NR);
                        for (t, sums) in tile[..MR.min(m - row)].iter().enumerate() {
                            c.add(row + t, col, &sums[..NR.min(n - col)]);
                        }
                    }
                }
            }
        }
    }
}
