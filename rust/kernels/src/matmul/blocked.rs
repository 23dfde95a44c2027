//! Blocked product: panels packed for the caches, tiles computed by a micro-kernel.
//!
//! The loops are those of Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication" (2008): a block of b for the level-3 cache, a block of a for the level-2
//! cache, and within them panels of NR columns and MR rows, which meet in a tile of sums that
//! stays in registers.
//!
//! A level of Strassen's scheme, with its sums fused into the packing (Huang, Smith, Henry and
//! van de Geijn, "Strassen's algorithm reloaded", 2016), was tried: at 1024 and at 512 it won
//! nothing, two levels lost a tenth.

use std::cell::RefCell;

use super::views::{Matrix, Problem};

/// Columns of b in a block.
const NC: usize = 2048;

/// A micro-kernel: the product of a panel of a and a panel of b, held in registers.
pub(super) trait Kernel {
    /// Rows and columns of a tile.
    const MR: usize;
    const NR: usize;
    /// Inner dimension of a block: a panel of b is to stay in the level-1 cache.
    const KC: usize;
    /// Rows of a in a block; a multiple of `MR`.
    const MC: usize;

    /// What the kernel wants beside an element of a.
    fn digits_a(_: u64) -> u32 {
        0
    }
    /// What the kernel wants beside an element of b.
    fn digits_b(_: u64) -> u32 {
        0
    }

    /// `tile = a b`: for each of the kc inner indices, MR elements of a and NR of b.
    fn tile(a: Panel<'_>, b: Panel<'_>, tile: &mut [u64]);
}

/// A packed panel: elements, and digits made of them.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub elements: &'a [u64],
    pub digits: &'a [u32],
}

/// Memory for packed panels, and its parts that begin at a cache line.
#[derive(Default)]
struct Packed {
    elements: Vec<u64>,
    digits: Vec<u32>,
    size: usize,
}

/// The first `size` elements from a cache line on.
#[inline(always)]
fn aligned<T>(memory: &[T], size: usize) -> &[T] {
    &memory[memory.as_ptr().align_offset(64)..][..size]
}

#[inline(always)]
fn aligned_mut<T: Copy + Default>(memory: &mut Vec<T>, size: usize) -> &mut [T] {
    let line = 64 / size_of::<T>();
    if memory.len() < size + line {
        memory.resize(size + line, T::default());
    }
    let from = memory.as_ptr().align_offset(64);
    &mut memory[from..][..size]
}

impl Packed {
    /// Pack rows `p..p + kc` of columns `j..j + width` of m into panels of r columns.
    #[inline(always)]
    fn fill(
        &mut self,
        m: Matrix<'_>,
        [p, kc]: [usize; 2],
        [j, width]: [usize; 2],
        r: usize,
        digits: impl Fn(u64) -> u32,
    ) {
        self.size = width.div_ceil(r) * r * kc;
        let elements = aligned_mut(&mut self.elements, self.size);
        for (i, panel) in elements.chunks_exact_mut(r * kc).enumerate() {
            let from = j + i * r;
            let used = r.min(j + width - from);
            if used < r {
                panel.fill(0);
            }
            copy(m, [p, from, used], r, panel);
        }
        let all = aligned_mut(&mut self.digits, self.size);
        for (digit, element) in all.iter_mut().zip(elements) {
            *digit = digits(*element);
        }
    }

    /// Panels of `size` elements.
    #[inline(always)]
    fn panels(&self, size: usize) -> impl Iterator<Item = Panel<'_>> {
        let elements = aligned(&self.elements, self.size).chunks_exact(size);
        let digits = aligned(&self.digits, self.size).chunks_exact(size);
        elements.zip(digits).map(|(elements, digits)| Panel { elements, digits })
    }
}

/// Copy rows `p`, … and columns `from..from + used` of a matrix into a panel of r columns.
#[inline(always)]
fn copy(m: Matrix<'_>, [p, from, used]: [usize; 3], r: usize, panel: &mut [u64]) {
    let columns = m.transposed();
    let (kc, rows) = (panel.len() / r, panel.chunks_exact_mut(r));
    if m.row(p, from, used).is_some() {
        for (p, row) in (p..).zip(rows) {
            let values = m.row(p, from, used).unwrap_or_default();
            // A whole row has a length that the compiler knows.
            if used == r {
                row.copy_from_slice(values);
            } else {
                row[..used].copy_from_slice(values);
            }
        }
    } else if columns.row(from, p, kc).is_some() {
        for t in 0..used {
            let column = columns.row(from + t, p, kc).unwrap_or_default();
            for (row, value) in panel.chunks_exact_mut(r).zip(column) {
                row[t] = *value;
            }
        }
    } else {
        for (p, row) in (p..).zip(rows) {
            for (t, value) in row[..used].iter_mut().enumerate() {
                *value = m.at(p, from + t);
            }
        }
    }
}

thread_local! {
    /// Kept from call to call, so that small products need no allocation.
    static PACKED: RefCell<[Packed; 2]> = RefCell::default();
}

/// `c += a b`.
#[inline(always)]
pub(super) fn multiply<K: Kernel>(problem: Problem<'_>) {
    let [m, _, n] = problem.shape();
    // Tiles are wider than high: a product of few columns is better computed as its transpose.
    let tiles = |m: usize, n: usize| m.div_ceil(K::MR) * n.div_ceil(K::NR);
    let swap = 4 * tiles(n, m) < 3 * tiles(m, n);
    let problem = if swap { problem.transposed() } else { problem };
    let [m, k, n] = problem.shape();
    let Problem { a, b, mut c } = problem;
    let a = a.transposed();
    let [mut a_packed, mut b_packed] = PACKED.take();
    let mut tile = [0; 256];
    let tile = &mut tile[..K::MR * K::NR];
    for j in (0..n).step_by(NC) {
        let nc = NC.min(n - j);
        for p in (0..k).step_by(K::KC) {
            let kc = K::KC.min(k - p);
            b_packed.fill(b, [p, kc], [j, nc], K::NR, K::digits_b);
            for i in (0..m).step_by(K::MC) {
                let mc = K::MC.min(m - i);
                a_packed.fill(a, [p, kc], [i, mc], K::MR, K::digits_a);
                for (jj, b_panel) in b_packed.panels(K::NR * kc).enumerate() {
                    for (ii, a_panel) in a_packed.panels(K::MR * kc).enumerate() {
                        K::tile(a_panel, b_panel, tile);
                        let (row, col) = (i + ii * K::MR, j + jj * K::NR);
                        let (rows, cols) = (K::MR.min(m - row), K::NR.min(n - col));
                        for (t, sums) in tile.chunks_exact(K::NR).take(rows).enumerate() {
                            c.add(row + t, col, &sums[..cols]);
                        }
                    }
                }
            }
        }
    }
    PACKED.set([a_packed, b_packed]);
}
