//! The micro-kernel with AVX-512 IFMA and VNNI: two and a half instructions for eight products.
//!
//! IFMA multiplies the low 52 bits of two words and adds the low or the high 52 bits of the
//! product, of 104 bits, to a word. Write a = a_0 + 2^52 a_1 and b = b_0 + 2^52 b_1 with a_0, b_0
//! below 2^52 and a_1, b_1 below 2^12. Modulo 2^64,
//!
//! ```text
//! Σ a b = Σ lo(a_0 b_0) + 2^52 Σ hi(a_0 b_0) + 2^52 Σ (a_0 b_1 + a_1 b_0),
//! ```
//!
//! since the term of a_1 b_1 has the factor 2^104. The first sum is kept in words, where it may
//! wrap: it is wanted modulo 2^64. The other two are wanted modulo 2^12 alone: the second may
//! wrap in its words too. For the third, a_0 and b_0 may be replaced by anything congruent modulo
//! 2^12: their low 16 bits, read as signed numbers (a difference of 2^16, a multiple of 2^12).
//! VNNI multiplies pairs of such numbers, (low 16 bits of a, a_1) with (b_1, low 16 bits of b),
//! and adds both products to one of sixteen sums of 32 bits, exactly modulo 2^32, so exactly
//! modulo 2^12. No sum is ever too long.

use std::arch::x86_64::*;

use super::blocked::{self, Kernel, Panel};
use super::views::Problem;

/// Rows of a tile; with 16 columns, 25 of the 32 registers hold sums.
const MR: usize = 5;
const NR: usize = 16;

struct Ifma;

impl Kernel for Ifma {
    const MR: usize = MR;
    const NR: usize = NR;
    const KC: usize = 160;
    const MC: usize = 120;

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    fn digits_a(a: u64) -> u32 {
        (a & 0xffff) as u32 | ((a >> 52) as u32) << 16
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    fn digits_b(b: u64) -> u32 {
        (b >> 52) as u32 | ((b & 0xffff) as u32) << 16
    }

    #[inline(always)]
    fn tile(a: Panel<'_>, b: Panel<'_>, tile: &mut [u64]) {
        let (a_elements, b_elements) = (a.elements.as_chunks().0, b.elements.as_chunks().0);
        let (a_digits, b_digits) = (a.digits.as_chunks().0, b.digits.as_chunks().0);
        // SAFETY: this type is named by `multiply` alone, whose features include those needed.
        unsafe { sums(a_elements, a_digits, b_elements, b_digits, tile.as_chunks_mut().0) }
    }
}

/// The tile of one panel of a and one of b.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vnni")]
#[allow(clippy::cast_possible_wrap)]
fn sums(
    a: &[[u64; MR]],
    a_digits: &[[u32; MR]],
    b: &[[u64; NR]],
    b_digits: &[[u32; NR]],
    tile: &mut [[u64; NR]],
) {
    let k = a.len();
    let zero = _mm512_setzero_si512();
    let (mut low, mut high, mut cross) = ([[zero; 2]; MR], [[zero; 2]; MR], [zero; MR]);
    for (((a, a_digits), b), b_digits) in a.iter().zip(a_digits).zip(b).zip(b_digits) {
        // SAFETY: b has 16 words and b_digits 16 half-words; loads need no alignment.
        let (b, b_digits) = unsafe {
            let words = b.as_ptr();
            let words = [_mm512_loadu_si512(words.cast()), _mm512_loadu_si512(words.add(8).cast())];
            (words, _mm512_loadu_si512(b_digits.as_ptr().cast()))
        };
        // The next panel of a lies behind this one.
        _mm_prefetch::<_MM_HINT_T0>(a.as_ptr().wrapping_add(MR * k).cast());
        _mm_prefetch::<_MM_HINT_T0>(a_digits.as_ptr().wrapping_add(MR * k).cast());
        for i in 0..MR {
            let factor = _mm512_set1_epi64(a[i] as i64);
            for h in 0..2 {
                low[i][h] = _mm512_madd52lo_epu64(low[i][h], factor, b[h]);
                high[i][h] = _mm512_madd52hi_epu64(high[i][h], factor, b[h]);
            }
            let factor = _mm512_set1_epi32(a_digits[i] as i32);
            cross[i] = _mm512_dpwssd_epi32(cross[i], factor, b_digits);
        }
    }
    for (i, tile) in tile.iter_mut().enumerate().take(MR) {
        let halves = [_mm512_castsi512_si256(cross[i]), _mm512_extracti64x4_epi64::<1>(cross[i])];
        for (h, tile) in tile.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let top = _mm512_add_epi64(high[i][h], _mm512_cvtepu32_epi64(halves[h]));
            let sum = _mm512_add_epi64(low[i][h], _mm512_slli_epi64::<52>(top));
            // SAFETY: the half row has 8 words; the store needs no alignment.
            unsafe { _mm512_storeu_si512(tile.as_mut_ptr().cast(), sum) };
        }
    }
}

/// `c += a b`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vnni")]
pub(super) fn multiply(problem: Problem<'_>) {
    blocked::multiply::<Ifma>(problem);
}
