//! Bit planes: bit j of 64 values as one word, and back.

use crate::Mismatch;
use crate::lanes::{Lanes, lanes};

/// Bit planes of 64·W values: bit r of `planes[j][g]` is bit j of value 64 g + r.
pub(crate) type Sliced<const W: usize> = [[u64; W]; 64];

/// Transpose the 64 × 64 bits of each of W columns, in place; its own inverse.
///
/// Six steps swap ever smaller off-diagonal squares (Hacker's Delight, section 7-3): three for
/// eight rows that lie eight apart, then three for eight neighbours, in registers.
#[inline(always)]
fn transpose<V: Lanes<W>, const W: usize>(rows: &mut Sliced<W>) {
    for first in 0..8 {
        swap_squares::<V, W>(rows, first, 8);
    }
    for first in 0..8 {
        swap_squares::<V, W>(rows, 8 * first, 1);
    }
}

/// Swap squares of 4, 2 and 1 times `apart` bits among eight rows that lie `apart` rows apart.
#[inline(always)]
fn swap_squares<V: Lanes<W>, const W: usize>(rows: &mut Sliced<W>, first: usize, apart: usize) {
    let mut group = [V::load(&rows[first]); 8];
    for (i, row) in group.iter_mut().enumerate() {
        *row = V::load(&rows[first + apart * i]);
    }
    exchange::<V, W, 4>(&mut group, apart);
    exchange::<V, W, 2>(&mut group, apart);
    exchange::<V, W, 1>(&mut group, apart);
    for (i, row) in group.iter().enumerate() {
        row.store(&mut rows[first + apart * i]);
    }
}

/// The step between rows `STEP` apart in the group: squares of `STEP * apart` bits.
#[inline(always)]
fn exchange<V: Lanes<W>, const W: usize, const STEP: usize>(group: &mut [V; 8], apart: usize) {
    let width = STEP * apart;
    // The lower half of every 2 width bits.
    let mask = V::load(&[u64::MAX / ((1 << width) + 1); W]);
    #[allow(clippy::cast_possible_truncation)]
    let bits = width as u32;
    for pair in 0..4 {
        let low = pair % STEP + pair / STEP * 2 * STEP;
        let (a, b) = (group[low], group[low + STEP]);
        let swap = a.right(bits).xor(b).and(mask);
        group[low] = a.xor(swap.left(bits));
        group[low + STEP] = b.xor(swap);
    }
}

/// Cut values into planes.
#[inline(always)]
pub(crate) fn slice_bits<V: Lanes<W>, const W: usize>(
    values: &[[u64; 64]; W],
    planes: &mut Sliced<W>,
) {
    for (k, rows) in planes.as_chunks_mut::<W>().0.iter_mut().enumerate() {
        let mut square = [V::load(&values[0].as_chunks().0[k]); W];
        for (group, values) in square.iter_mut().zip(values) {
            *group = V::load(&values.as_chunks().0[k]);
        }
        for (row, words) in rows.iter_mut().zip(V::transpose(square)) {
            words.store(row);
        }
    }
    transpose::<V, W>(planes);
}

/// The values whose planes these are; destroys the planes.
#[inline(always)]
fn join_bits<V: Lanes<W>, const W: usize>(planes: &mut Sliced<W>, values: &mut [[u64; 64]; W]) {
    transpose::<V, W>(planes);
    for (k, rows) in planes.as_chunks::<W>().0.iter().enumerate() {
        let mut square = [V::load(&rows[0]); W];
        for (words, row) in square.iter_mut().zip(rows) {
            *words = V::load(row);
        }
        for (values, group) in values.iter_mut().zip(V::transpose(square)) {
            group.store(&mut values.as_chunks_mut().0[k]);
        }
    }
}

lanes! {
    fn slice_all(x: &[u64], words: usize, out: &mut [u64]) {
        let mut values = [[0; 64]; W];
        let mut planes = [[0; W]; 64];
        for (c, x) in x.chunks(64 * W).enumerate() {
            values.as_flattened_mut()[..x.len()].copy_from_slice(x);
            values.as_flattened_mut()[x.len()..].fill(0);
            slice_bits::<V, W>(&values, &mut planes);
            let used = x.len().div_ceil(64);
            for (row, plane) in out.chunks_exact_mut(words).zip(&planes) {
                // A whole block has a length that the compiler knows.
                if used == W {
                    row[W * c..][..W].copy_from_slice(plane);
                } else {
                    row[W * c..][..used].copy_from_slice(&plane[..used]);
                }
            }
        }
    }
}

lanes! {
    fn join_all(planes: &[u64], words: usize, out: &mut [u64]) {
        let mut values = [[0; 64]; W];
        let mut block = [[0; W]; 64];
        for (c, out) in out.chunks_mut(64 * W).enumerate() {
            let used = out.len().div_ceil(64);
            for (row, plane) in planes.chunks_exact(words).zip(&mut block) {
                if used == W {
                    plane.copy_from_slice(&row[W * c..][..W]);
                } else {
                    plane[..used].copy_from_slice(&row[W * c..][..used]);
                }
            }
            join_bits::<V, W>(&mut block, &mut values);
            out.copy_from_slice(&values.as_flattened()[..out.len()]);
        }
    }
}

/// Columns at a time for n values.
fn width(n: usize) -> usize {
    if n > 64 { 8 } else { 1 }
}

/// Bit planes of `x`: `out` is (64, ceil(n / 64)) words, padded with zero bits.
///
/// # Errors
/// If `out` has another size.
pub fn to_planes(x: &[u64], out: &mut [u64]) -> Result<(), Mismatch> {
    let words = x.len().div_ceil(64);
    if out.len() != 64 * words {
        return Err(Mismatch("out must be of shape (64, ceil(n / 64))"));
    }
    slice_all(width(x.len()), x, words, out);
    Ok(())
}

/// The values whose bit planes are `planes`, of shape (64, ceil(n / 64)).
///
/// # Errors
/// If `planes` has another size.
pub fn from_planes(planes: &[u64], out: &mut [u64]) -> Result<(), Mismatch> {
    let words = out.len().div_ceil(64);
    if planes.len() != 64 * words {
        return Err(Mismatch("planes must be of shape (64, ceil(n / 64))"));
    }
    join_all(width(out.len()), planes, words, out);
    Ok(())
}
