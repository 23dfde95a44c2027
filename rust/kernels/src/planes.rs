//! Bit planes: bit j of 64 values as one word, and back.

#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::Mismatch;
use crate::path::multiversion;

/// Bit planes of 64·W values: bit r of `planes[j][g]` is bit j of value 64 g + r.
pub(crate) type Sliced<const W: usize> = [[u64; W]; 64];

multiversion! {
    /// Transpose the 64 × 64 bits of each of W columns, in place; its own inverse.
    fn transpose[const W: usize](rows: &mut Sliced<W>) {
        let mut mask = u64::MAX;
        let mut width = 32;
        while width > 0 {
            mask ^= mask << width;
            for low in (0..64).filter(|row| row & width == 0) {
                for g in 0..W {
                    let (a, b) = (rows[low][g], rows[low + width][g]);
                    let swap = ((a >> width) ^ b) & mask;
                    rows[low][g] = a ^ (swap << width);
                    rows[low + width][g] = b ^ swap;
                }
            }
            width /= 2;
        }
    }
}

/// Cut values into planes; W is 1 or 8.
#[inline]
pub(crate) fn slice_bits<const W: usize>(values: &[[u64; 64]; W], planes: &mut Sliced<W>) {
    #[cfg(target_arch = "x86_64")]
    if avx512::slice_bits(values, planes) {
        return;
    }
    for (g, group) in values.iter().enumerate() {
        for (row, value) in planes.iter_mut().zip(group) {
            row[g] = *value;
        }
    }
    transpose(planes);
}

/// The values whose planes these are; destroys the planes.
fn join_bits<const W: usize>(planes: &mut Sliced<W>, values: &mut [[u64; 64]; W]) {
    transpose(planes);
    for (g, group) in values.iter_mut().enumerate() {
        for (row, value) in planes.iter().zip(group) {
            *value = row[g];
        }
    }
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
    let mut values = [[0; 64]; 8];
    let mut planes = [[0; 8]; 64];
    for (c, x) in x.chunks(512).enumerate() {
        values.as_flattened_mut()[..x.len()].copy_from_slice(x);
        values.as_flattened_mut()[x.len()..].fill(0);
        slice_bits(&values, &mut planes);
        let used = x.len().div_ceil(64);
        for (row, plane) in out.chunks_exact_mut(words).zip(&planes) {
            row[8 * c..8 * c + used].copy_from_slice(&plane[..used]);
        }
    }
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
    let mut values = [[0; 64]; 8];
    let mut block = [[0; 8]; 64];
    for (c, out) in out.chunks_mut(512).enumerate() {
        let used = out.len().div_ceil(64);
        for (row, plane) in planes.chunks_exact(words).zip(&mut block) {
            plane[..used].copy_from_slice(&row[8 * c..8 * c + used]);
        }
        join_bits(&mut block, &mut values);
        out.copy_from_slice(&values.as_flattened()[..out.len()]);
    }
    Ok(())
}
