//! The micro-kernel with AVX-512 DQ, which multiplies words of 64 bits: two instructions for
//! eight products, the better way where the multiplication is one step (AMD since Zen 4).

use std::arch::x86_64::*;

use super::blocked::{self, Kernel, Panel};
use super::views::Problem;

/// Rows of a tile; with 24 columns, 24 of the 32 registers hold sums.
const MR: usize = 8;
const NR: usize = 24;

struct Words;

impl Kernel for Words {
    const MR: usize = MR;
    const NR: usize = NR;
    const KC: usize = 192;
    const MC: usize = 120;

    #[inline(always)]
    fn tile(a: Panel<'_>, b: Panel<'_>, tile: &mut [u64]) {
        let (a, b) = (a.elements.as_chunks().0, b.elements.as_chunks().0);
        // SAFETY: this type is named by `multiply` alone, whose features include those needed.
        unsafe { sums(a, b, tile.as_chunks_mut().0) }
    }
}

/// The tile of one panel of a and one of b.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[allow(clippy::cast_possible_wrap)]
fn sums(a: &[[u64; MR]], b: &[[u64; NR]], tile: &mut [[u64; NR]]) {
    let mut sums = [[_mm512_setzero_si512(); 3]; MR];
    for (a, b) in a.iter().zip(b) {
        // SAFETY: b has three times 8 words; loads need no alignment.
        let b = [0, 8, 16].map(|t| unsafe { _mm512_loadu_si512(b.as_ptr().add(t).cast()) });
        for i in 0..MR {
            let factor = _mm512_set1_epi64(a[i] as i64);
            for h in 0..3 {
                sums[i][h] = _mm512_add_epi64(sums[i][h], _mm512_mullo_epi64(factor, b[h]));
            }
        }
    }
    for (tile, sums) in tile.iter_mut().zip(sums) {
        for (tile, sum) in tile.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
            // SAFETY: the third of a row has 8 words; the store needs no alignment.
            unsafe { _mm512_storeu_si512(tile.as_mut_ptr().cast(), sum) };
        }
    }
}

/// `c += a b`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn multiply(problem: Problem<'_>) {
    blocked::multiply::<Words>(problem);
}
