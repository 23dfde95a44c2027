//! Matrix products over Z_2^128 with AVX-512 IFMA, which multiplies words of 52 bits.
//!
//! With a = a_0 + 2^52 a_1 + 2^104 a_2 and b likewise, a b mod 2^128 is the sum of a_0 b_0,
//! 2^52 (a_0 b_1 + a_1 b_0) and 2^104 (a_0 b_2 + a_1 b_1 + a_2 b_0), of which the last is wanted
//! modulo 2^24 only. Low and high halves of the products go to three sums: nine instructions for
//! eight products. The instructions read 52 bits of a word and ignore those above, so a_0 is the
//! low word as it is. The middle sum takes three terms below 2^52 an inner index: blocks of less
//! than 2^12 / 3 indices do not overflow, and the first sum even less.
//!
//! The loops are those of `matmul/blocked.rs`, for panels of 8 rows and 8 columns.

use std::arch::x86_64::*;
use std::cell::RefCell;

use super::super::{Wide, element, number};

/// Rows and columns of a tile: 24 of the 32 registers hold sums.
pub(super) const SIDE: usize = 8;
/// Inner indices, rows and columns of a block.
const KC: usize = 256;
const MC: usize = 64;
const NC: usize = 1024;

/// Three limbs of eight elements, one inner index of a panel; or the three sums of a row of a
/// tile.
type Limbs = [[u64; SIDE]; 3];

thread_local! {
    /// Kept from call to call, so that small products need no allocation.
    static PACKED: RefCell<[Vec<Limbs>; 2]> = RefCell::default();
}

/// Panels of eight from `all`: `at(panel, index, t)` is the element t of an inner index.
#[inline(always)]
fn pack(panels: &mut Vec<Limbs>, width: usize, kc: usize, at: impl Fn(usize, usize) -> Wide) {
    let count = width.div_ceil(SIDE);
    panels.clear();
    panels.resize(count * kc, [[0; SIDE]; 3]);
    for (j, panel) in panels.chunks_exact_mut(kc).enumerate() {
        let used = SIDE.min(width - j * SIDE);
        for (p, limbs) in panel.iter_mut().enumerate() {
            let [first, second, third] = limbs.each_mut();
            let places = first.iter_mut().zip(second).zip(third).take(used);
            for (t, ((first, second), third)) in places.enumerate() {
                let [low, high] = at(p, j * SIDE + t);
                (*first, *second, *third) = (low, low >> 52 | high << 12, high >> 40);
            }
        }
    }
}

/// The tile of one panel of a and one of b: three sums for each row.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
#[allow(clippy::cast_possible_wrap)]
fn sums(a: &[Limbs], b: &[Limbs]) -> [Limbs; SIDE] {
    let zero = _mm512_setzero_si512();
    let (mut low, mut middle, mut high) = ([zero; SIDE], [zero; SIDE], [zero; SIDE]);
    for (a, b) in a.iter().zip(b) {
        // SAFETY: each limb of b has eight words; loads need no alignment.
        let [b_0, b_1, b_2] =
            [0, 1, 2].map(|limb| unsafe { _mm512_loadu_si512(b[limb].as_ptr().cast()) });
        for i in 0..SIDE {
            let factor = _mm512_set1_epi64(a[0][i] as i64);
            low[i] = _mm512_madd52lo_epu64(low[i], factor, b_0);
            middle[i] = _mm512_madd52hi_epu64(middle[i], factor, b_0);
            high[i] = _mm512_madd52hi_epu64(high[i], factor, b_1);
            middle[i] = _mm512_madd52lo_epu64(middle[i], factor, b_1);
            high[i] = _mm512_madd52lo_epu64(high[i], factor, b_2);
            let factor = _mm512_set1_epi64(a[1][i] as i64);
            middle[i] = _mm512_madd52lo_epu64(middle[i], factor, b_0);
            high[i] = _mm512_madd52hi_epu64(high[i], factor, b_0);
            high[i] = _mm512_madd52lo_epu64(high[i], factor, b_1);
            let factor = _mm512_set1_epi64(a[2][i] as i64);
            high[i] = _mm512_madd52lo_epu64(high[i], factor, b_0);
        }
    }
    let mut tile = [[[0; SIDE]; 3]; SIDE];
    for (i, row) in tile.iter_mut().enumerate() {
        for (words, sum) in row.iter_mut().zip([low[i], middle[i], high[i]]) {
            // SAFETY: `words` has eight words; the store needs no alignment.
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), sum) };
        }
    }
    tile
}

/// `c += a b` for a (m, k), b (k, n) and c (m, n), rows one after the other.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn multiply(a: &[Wide], b: &[Wide], [m, k, n]: [usize; 3], c: &mut [Wide]) {
    let [mut a_packed, mut b_packed] = PACKED.take();
    for j in (0..n).step_by(NC) {
        let nc = NC.min(n - j);
        for p in (0..k).step_by(KC) {
            let kc = KC.min(k - p);
            pack(&mut b_packed, nc, kc, |q, t| b[(p + q) * n + j + t]);
            for i in (0..m).step_by(MC) {
                let mc = MC.min(m - i);
                pack(&mut a_packed, mc, kc, |q, t| a[(i + t) * k + p + q]);
                for (jj, b_panel) in b_packed.chunks_exact(kc).enumerate() {
                    for (ii, a_panel) in a_packed.chunks_exact(kc).enumerate() {
                        let tile = sums(a_panel, b_panel);
                        let (row, col) = (i + ii * SIDE, j + jj * SIDE);
                        for (t, limbs) in tile.iter().enumerate().take(m - row) {
                            let from = (row + t) * n;
                            let places = &mut c[from + col..from + n.min(col + SIDE)];
                            add(places, limbs);
                        }
                    }
                }
            }
        }
    }
    PACKED.set([a_packed, b_packed]);
}

/// Add the numbers of three sums to elements.
#[inline(always)]
fn add(places: &mut [Wide], limbs: &Limbs) {
    for (t, place) in places.iter_mut().enumerate() {
        let [low, middle, high] = [0, 1, 2].map(|limb| u128::from(limbs[limb][t]));
        let sum = low.wrapping_add(middle << 52).wrapping_add(high << 104);
        *place = element(number(*place).wrapping_add(sum));
    }
}
