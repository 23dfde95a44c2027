//! The micro-kernel with AVX2, which multiplies words of 32 bits.
//!
//! With a = a_0 + 2^32 a_1 and b likewise, Σ a b = Σ a_0 b_0 + 2^32 Σ (a_1 b_0 + a_0 b_1) modulo
//! 2^64. The first sum takes full products, the second low halves: both its terms at once, in
//! the two halves of a word, which are added at the end.

use std::arch::x86_64::*;

use super::blocked::{self, Kernel, Panel};
use super::views::Problem;

/// Rows of a tile; with 8 columns, 12 of the 16 registers hold sums.
const MR: usize = 3;
const NR: usize = 8;

struct Halves;

impl Kernel for Halves {
    const MR: usize = MR;
    const NR: usize = NR;
    const KC: usize = 256;
    const MC: usize = 384;

    #[inline(always)]
    fn tile(a: Panel<'_>, b: Panel<'_>, tile: &mut [u64]) {
        let (a, b) = (a.elements.as_chunks().0, b.elements.as_chunks().0);
        // SAFETY: this type is named by `multiply` alone, whose features include those needed.
        unsafe { sums(a, b, tile.as_chunks_mut().0) }
    }
}

/// The tile of one panel of a and one of b.
#[inline]
#[target_feature(enable = "avx2")]
#[allow(clippy::cast_possible_wrap)]
fn sums(a: &[[u64; MR]], b: &[[u64; NR]], tile: &mut [[u64; NR]]) {
    let zero = _mm256_setzero_si256();
    let (mut full, mut cross) = ([[zero; 2]; MR], [[zero; 2]; MR]);
    for (a, b) in a.iter().zip(b) {
        // SAFETY: b has 8 words; loads need no alignment.
        let b = unsafe {
            let words = b.as_ptr();
            [_mm256_loadu_si256(words.cast()), _mm256_loadu_si256(words.add(4).cast())]
        };
        for i in 0..MR {
            let factor = _mm256_set1_epi64x(a[i] as i64);
            let swapped = _mm256_shuffle_epi32::<0b10_11_00_01>(factor);
            for h in 0..2 {
                full[i][h] = _mm256_add_epi64(full[i][h], _mm256_mul_epu32(factor, b[h]));
                cross[i][h] = _mm256_add_epi32(cross[i][h], _mm256_mullo_epi32(swapped, b[h]));
            }
        }
    }
    for (i, tile) in tile.iter_mut().enumerate().take(MR) {
        for (h, tile) in tile.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let sum = _mm256_add_epi32(cross[i][h], _mm256_srli_epi64::<32>(cross[i][h]));
            let sum = _mm256_add_epi64(full[i][h], _mm256_slli_epi64::<32>(sum));
            // SAFETY: the half row has 4 words; the store needs no alignment.
            unsafe { _mm256_storeu_si256(tile.as_mut_ptr().cast(), sum) };
        }
    }
}

/// `c += a b`.
#[target_feature(enable = "avx2")]
pub(super) fn multiply(problem: Problem<'_>) {
    blocked::multiply::<Halves>(problem);
}
