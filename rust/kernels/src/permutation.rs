//! Uniform permutations from a stream that two parties share.
//!
//! Fisher–Yates (Durstenfeld 1964) with bounded numbers by multiplication and rejection
//! (Lemire 2019), so that every permutation has the same probability: a remainder or a sort by
//! random keys would favour some. Both holders of the key read the same words, so they reject alike.
//!
//! Unlike everything else in this crate, the addresses written to depend on the stream: the
//! permutation is a secret of the two parties that compute it, who see it anyway.

use crate::Mismatch;
use crate::stream::{Stream, StreamKey};

/// Words of 32 bits read at a time: whole blocks of the stream.
const PIECE: usize = 1024;

/// The stream's words of 32 bits, one after the other.
struct Source<'a> {
    stream: Stream<'a>,
    words: [u32; PIECE],
    read: usize,
    used: usize,
}

impl<'a> Source<'a> {
    fn new(stream: Stream<'a>) -> Self {
        Self { stream, words: [0; PIECE], read: 0, used: PIECE }
    }

    #[inline]
    fn next(&mut self) -> u32 {
        if self.used == PIECE {
            self.stream.read(self.read, &mut self.words);
            self.read += PIECE;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }
}

/// A uniform number below `bound`, which is not 0.
///
/// Of the 2^32 words w, those with w · bound mod 2^32 below 2^32 mod bound are rejected; as many
/// of the others give each result ⌊w · bound / 2^32⌋.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn below(bound: u32, mut next: impl FnMut() -> u32) -> u32 {
    let mut product = u64::from(next()) * u64::from(bound);
    if (product as u32) < bound {
        let least = bound.wrapping_neg() % bound;
        while (product as u32) < least {
            product = u64::from(next()) * u64::from(bound);
        }
    }
    (product >> 32) as u32
}

/// Fill every row of `count` words with a uniform permutation of 0 to `count` - 1.
///
/// # Errors
/// If `out` is not made of whole rows, or a row has 2^32 words or more.
pub fn permutation(
    key: &StreamKey,
    nonce: u64,
    lane: u16,
    count: usize,
    out: &mut [u64],
) -> Result<(), Mismatch> {
    if count == 0 || out.is_empty() {
        return if out.is_empty() { Ok(()) } else { Err(Mismatch("rows of no elements")) };
    }
    if !out.len().is_multiple_of(count) {
        return Err(Mismatch("the array is not made of whole rows"));
    }
    let Ok(last) = u32::try_from(count - 1) else {
        return Err(Mismatch("a permutation has fewer than 2^32 elements"));
    };
    if last == u32::MAX {
        return Err(Mismatch("a permutation has fewer than 2^32 elements"));
    }
    let mut source = Source::new(Stream::new(key, nonce, lane));
    for row in out.chunks_exact_mut(count) {
        for (place, index) in row.iter_mut().zip(0..) {
            *place = index;
        }
        for i in (1..=last).rev() {
            let j = below(i + 1, || source.next());
            row.swap(i as usize, j as usize);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejection_leaves_as_many_words_to_each_result() {
        for bound in [3u32, 5, 6, 7, 10, 1 << 16, 3 << 30, u32::MAX] {
            // The words accepted for a result r are those in [r 2^32, (r + 1) 2^32) / bound whose
            // product's low half is at least 2^32 mod bound: count them for a few results.
            let least = u64::from(bound.wrapping_neg() % bound);
            let accepted = |r: u64| {
                let first = ((r << 32) + least).div_ceil(u64::from(bound));
                let end = ((r + 1) << 32).div_ceil(u64::from(bound));
                end - first
            };
            let results = [0, 1, u64::from(bound / 2), u64::from(bound - 1)];
            let wanted = (1u64 << 32) / u64::from(bound);
            for r in results {
                assert_eq!(accepted(r), wanted, "{bound} {r}");
            }
        }
    }

    #[test]
    fn rejected_words_are_skipped() {
        // 2^32 mod 3 = 1: of all words only those with 3 w mod 2^32 = 0, that is 0, are rejected.
        let mut words = [0, 0, 0x8000_0000].into_iter();
        assert_eq!(below(3, || words.next().unwrap()), 1);
        assert_eq!(words.next(), None);
        // 2^32 mod (3 · 2^30) = 2^30: a quarter of the words.
        let mut words = [0x4000_0000, 1].into_iter();
        assert_eq!(below(3 << 30, || words.next().unwrap()), 0);
    }

    #[test]
    fn rows_are_permutations_and_differ() {
        let key = StreamKey::new(&[5; 16]);
        let mut out = vec![0; 3 * 1000];
        permutation(&key, 1, 2, 1000, &mut out).unwrap();
        for row in out.chunks(1000) {
            let mut sorted = row.to_vec();
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..1000));
        }
        assert_ne!(out[..1000], out[1000..2000]);
    }

    #[test]
    fn shapes_are_checked() {
        let key = StreamKey::new(&[5; 16]);
        assert!(permutation(&key, 1, 2, 3, &mut [0; 4]).is_err());
        assert!(permutation(&key, 1, 2, 0, &mut [0; 4]).is_err());
        assert!(permutation(&key, 1, 2, 0, &mut []).is_ok());
        assert!(permutation(&key, 1, 2, 7, &mut []).is_ok());
    }
}
