//! W words handled at once: bitwise operations on a plane of a block.
//!
//! The compiler does not turn operations on `[u64; 8]` into vector instructions by itself, so the
//! vector types are spelled out here; the kernels are generic over them.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// W words in one or more registers.
pub(crate) trait Lanes<const W: usize>: Copy {
    /// Read W words.
    fn load(words: &[u64; W]) -> Self;
    /// Write W words.
    fn store(self, words: &mut [u64; W]);
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Shift each word to the left.
    fn left(self, bits: u32) -> Self;
    /// Shift each word to the right.
    fn right(self, bits: u32) -> Self;
    /// Transpose a square of words: word j of row i becomes word i of row j.
    fn transpose(rows: [Self; W]) -> [Self; W];
}

impl<const W: usize> Lanes<W> for [u64; W] {
    #[inline(always)]
    fn load(words: &[u64; W]) -> Self {
        *words
    }
    #[inline(always)]
    fn store(self, words: &mut [u64; W]) {
        *words = self;
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] & other[i])
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] ^ other[i])
    }
    #[inline(always)]
    fn left(self, bits: u32) -> Self {
        self.map(|word| word << bits)
    }
    #[inline(always)]
    fn right(self, bits: u32) -> Self {
        self.map(|word| word >> bits)
    }
    #[inline(always)]
    fn transpose(rows: [Self; W]) -> [Self; W] {
        let mut columns = rows;
        for (i, row) in rows.iter().enumerate() {
            for (column, word) in columns.iter_mut().zip(row) {
                column[i] = *word;
            }
        }
        columns
    }
}

/// Eight words with AVX-512.
///
/// Values of this type exist only within functions compiled for [`crate::path::Path::Avx512`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512i);

// The safety of every block below: the type is named by `lanes!` alone, in functions that run
// only where AVX-512 was detected; loads and stores need no alignment.
#[cfg(target_arch = "x86_64")]
impl Lanes<8> for Avx512 {
    #[inline(always)]
    fn load(words: &[u64; 8]) -> Self {
        // SAFETY: AVX-512 is there, and the array has 64 bytes.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, words: &mut [u64; 8]) {
        // SAFETY: AVX-512 is there, and the array has 64 bytes.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: AVX-512 is there.
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: AVX-512 is there.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn left(self, bits: u32) -> Self {
        // SAFETY: AVX-512 is there.
        Self(unsafe { _mm512_sllv_epi64(self.0, _mm512_set1_epi64(i64::from(bits))) })
    }
    #[inline(always)]
    fn right(self, bits: u32) -> Self {
        // SAFETY: AVX-512 is there.
        Self(unsafe { _mm512_srlv_epi64(self.0, _mm512_set1_epi64(i64::from(bits))) })
    }
    #[inline(always)]
    fn transpose(rows: [Self; 8]) -> [Self; 8] {
        let mut out = rows;
        // SAFETY: AVX-512 is there.
        unsafe {
            // Pairs of rows: even words of both, odd words of both.
            for i in (0..8).step_by(2) {
                let (a, b) = (rows[i].0, rows[i + 1].0);
                out[i].0 = _mm512_unpacklo_epi64(a, b);
                out[i + 1].0 = _mm512_unpackhi_epi64(a, b);
            }
            // Then squares of 2 × 2 words, as of a 4 × 4 matrix of pairs.
            for h in 0..2 {
                let [a, b, c, d] = [out[h].0, out[h + 2].0, out[h + 4].0, out[h + 6].0];
                let even = _mm512_shuffle_i64x2::<0x88>(a, b);
                let odd = _mm512_shuffle_i64x2::<0xdd>(a, b);
                let (even_2, odd_2) =
                    (_mm512_shuffle_i64x2::<0x88>(c, d), _mm512_shuffle_i64x2::<0xdd>(c, d));
                out[h].0 = _mm512_shuffle_i64x2::<0x88>(even, even_2);
                out[h + 2].0 = _mm512_shuffle_i64x2::<0x88>(odd, odd_2);
                out[h + 4].0 = _mm512_shuffle_i64x2::<0xdd>(even, even_2);
                out[h + 6].0 = _mm512_shuffle_i64x2::<0xdd>(odd, odd_2);
            }
        }
        out
    }
}

/// Eight words with AVX2, in two registers.
///
/// Values of this type exist only within functions compiled for [`crate::path::Path::Avx2`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256i, __m256i);

// The safety of every block below: as above, with AVX2.
#[cfg(target_arch = "x86_64")]
impl Lanes<8> for Avx2 {
    #[inline(always)]
    fn load(words: &[u64; 8]) -> Self {
        let [low, high] = [&words[..4], &words[4..]].map(|half| half.as_ptr().cast());
        // SAFETY: AVX2 is there, and each half has 32 bytes.
        unsafe { Self(_mm256_loadu_si256(low), _mm256_loadu_si256(high)) }
    }
    #[inline(always)]
    fn store(self, words: &mut [u64; 8]) {
        let (low, high) = words.split_at_mut(4);
        // SAFETY: AVX2 is there, and each half has 32 bytes.
        unsafe {
            _mm256_storeu_si256(low.as_mut_ptr().cast(), self.0);
            _mm256_storeu_si256(high.as_mut_ptr().cast(), self.1);
        }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: AVX2 is there.
        unsafe { Self(_mm256_and_si256(self.0, other.0), _mm256_and_si256(self.1, other.1)) }
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: AVX2 is there.
        unsafe { Self(_mm256_xor_si256(self.0, other.0), _mm256_xor_si256(self.1, other.1)) }
    }
    #[inline(always)]
    fn left(self, bits: u32) -> Self {
        // SAFETY: AVX2 is there.
        unsafe {
            let bits = _mm_set_epi64x(0, i64::from(bits));
            Self(_mm256_sll_epi64(self.0, bits), _mm256_sll_epi64(self.1, bits))
        }
    }
    #[inline(always)]
    fn right(self, bits: u32) -> Self {
        // SAFETY: AVX2 is there.
        unsafe {
            let bits = _mm_set_epi64x(0, i64::from(bits));
            Self(_mm256_srl_epi64(self.0, bits), _mm256_srl_epi64(self.1, bits))
        }
    }
    #[inline(always)]
    fn transpose(rows: [Self; 8]) -> [Self; 8] {
        let mut out = rows;
        // SAFETY: AVX2 is there.
        unsafe {
            for h in 0..2 {
                let low = square([
                    rows[4 * h].0,
                    rows[4 * h + 1].0,
                    rows[4 * h + 2].0,
                    rows[4 * h + 3].0,
                ]);
                let high = square([
                    rows[4 * h].1,
                    rows[4 * h + 1].1,
                    rows[4 * h + 2].1,
                    rows[4 * h + 3].1,
                ]);
                for i in 0..4 {
                    if h == 0 {
                        (out[i].0, out[i + 4].0) = (low[i], high[i]);
                    } else {
                        (out[i].1, out[i + 4].1) = (low[i], high[i]);
                    }
                }
            }
        }
        out
    }
}

/// Transpose 4 × 4 words.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn square(rows: [__m256i; 4]) -> [__m256i; 4] {
    let [a, b, c, d] = rows;
    let (ab_even, ab_odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd_even, cd_odd) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    [
        _mm256_permute2x128_si256::<0x20>(ab_even, cd_even),
        _mm256_permute2x128_si256::<0x20>(ab_odd, cd_odd),
        _mm256_permute2x128_si256::<0x31>(ab_even, cd_even),
        _mm256_permute2x128_si256::<0x31>(ab_odd, cd_odd),
    ]
}

/// Compile a function body, generic over lanes `V` of `W` words, for each path and width.
///
/// The function gets a first parameter, the width: 1 or 8.
macro_rules! lanes {
    ($(#[$meta:meta])* fn $name:ident ($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        fn $name(width: usize, $($arg: $type),*) {
            use $crate::lanes;

            #[inline(always)]
            fn generic<V: lanes::Lanes<W>, const W: usize>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")]
            fn avx512($($arg: $type),*) {
                generic::<lanes::Avx512, 8>($($arg),*);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($arg: $type),*) {
                generic::<lanes::Avx2, 8>($($arg),*);
            }

            match (width, $crate::path::path()) {
                (1, _) => generic::<[u64; 1], 1>($($arg),*),
                // SAFETY: `path()` returns `Avx512` only where all its features were detected.
                #[cfg(target_arch = "x86_64")]
                (_, $crate::path::Path::Avx512) => unsafe { avx512($($arg),*) },
                // SAFETY: `path()` returns `Avx2` only where all its features were detected.
                #[cfg(target_arch = "x86_64")]
                (_, $crate::path::Path::Avx2) => unsafe { avx2($($arg),*) },
                _ => generic::<[u64; 8], 8>($($arg),*),
            }
        }
    };
}

pub(crate) use lanes;
