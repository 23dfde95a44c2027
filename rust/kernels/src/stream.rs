//! Pseudorandom streams that two parties share: AES-128 in counter mode.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Block};
use bytemuck::Pod;

use crate::Mismatch;
use crate::path::multiversion;

/// Blocks in a stream: the index has six bytes.
pub const MAX_BLOCKS: u64 = 1 << 48;

/// Bytes of key stream made at a time.
const PIECE: usize = 8192;
/// Blocks whose counters differ in the low six bits alone, made as one group.
const GROUP: usize = 64;

/// The expanded key of a stream; wiped when dropped.
pub struct StreamKey(Aes128Enc);

impl StreamKey {
    /// Expand a key of 16 bytes.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        Self(Aes128Enc::new(&Array::from(*key)))
    }
}

impl std::fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamKey(...)")
    }
}

/// One lane of a key's streams: counter blocks nonce (8) | lane (2) | index (6), big endian.
#[derive(Clone, Copy)]
pub(crate) struct Stream<'a> {
    key: &'a StreamKey,
    nonce: u64,
    lane: u16,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(key: &'a StreamKey, nonce: u64, lane: u16) -> Self {
        Self { key, nonce, lane }
    }

    /// Elements `start`, `start + 1`, … of the stream read as an array of `T`, little endian.
    ///
    /// `start` elements fill whole blocks: kernels read in pieces of a multiple of 16 bytes.
    #[inline]
    pub(crate) fn read<T: Pod>(&self, start: usize, out: &mut [T]) {
        let bytes = start * size_of::<T>();
        debug_assert!(bytes.is_multiple_of(16));
        self.bytes((bytes / 16) as u64, bytemuck::cast_slice_mut(out));
    }

    /// The stream from block `start` on.
    fn bytes(&self, start: u64, out: &mut [u8]) {
        let mut index = start;
        let (blocks, tail) = out.as_chunks_mut::<16>();
        for piece in blocks.chunks_mut(PIECE / 16) {
            self.whole(index, piece);
            index += piece.len() as u64;
        }
        if !tail.is_empty() {
            let mut last = [[0; 16]];
            self.whole(index, &mut last);
            tail.copy_from_slice(&last[0][..tail.len()]);
        }
    }

    fn whole(&self, start: u64, blocks: &mut [[u8; 16]]) {
        // AES runs fastest on whole groups: round a long enough remainder up.
        let (head, rest) = blocks.split_at_mut(blocks.len() & !(GROUP - 1));
        self.encrypt(start, head);
        if rest.len() > GROUP / 8 {
            let mut scratch = [[0; 16]; GROUP];
            self.encrypt(start + head.len() as u64, &mut scratch);
            rest.copy_from_slice(&scratch[..rest.len()]);
        } else {
            self.encrypt(start + head.len() as u64, rest);
        }
    }

    fn encrypt(&self, start: u64, blocks: &mut [[u8; 16]]) {
        if blocks.is_empty() {
            return;
        }
        write_counters(self.nonce, (u64::from(self.lane) << 48) | start, blocks);
        self.key.0.encrypt_blocks(Block::cast_slice_from_core_mut(blocks));
    }
}

multiversion! {
    fn write_counters(nonce: u64, low: u64, blocks: &mut [[u8; 16]]) {
        let nonce = nonce.swap_bytes();
        let words: &mut [u64] = bytemuck::cast_slice_mut(blocks.as_flattened_mut());
        if low.is_multiple_of(GROUP as u64) {
            // The last byte of a counter alone changes within a group.
            let (pairs, _) = words.as_chunks_mut::<2>();
            for (i, group) in pairs.chunks_mut(GROUP).enumerate() {
                let base = (low + (i * GROUP) as u64).swap_bytes();
                for (j, pair) in group.iter_mut().enumerate() {
                    *pair = [nonce, base | ((j as u64) << 56)];
                }
            }
        } else {
            for (i, pair) in words.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                *pair = [nonce, (low + i as u64).swap_bytes()];
            }
        }
    }
}

/// Fill `out` with the stream from block `start` on.
///
/// # Errors
/// If the stream ends before `out` does.
pub fn fill(
    key: &StreamKey,
    nonce: u64,
    lane: u16,
    start: u64,
    out: &mut [u8],
) -> Result<(), Mismatch> {
    let blocks = out.len().div_ceil(16) as u64;
    if start > MAX_BLOCKS || blocks > MAX_BLOCKS - start {
        return Err(Mismatch("the stream ends at block 2^48"));
    }
    Stream::new(key, nonce, lane).bytes(start, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_197_appendix_b() {
        let key = [
            0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
            0x4f, 0x3c,
        ];
        // The plaintext block as a counter: 3243f6a8885a308d | 3131 | 98a2e0370734.
        let mut out = [0; 16];
        fill(&StreamKey::new(&key), 0x3243_f6a8_885a_308d, 0x3131, 0x98a2_e037_0734, &mut out)
            .unwrap();
        let expected = [
            0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb, 0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a,
            0x0b, 0x32,
        ];
        assert_eq!(out, expected);
    }

    #[test]
    fn starts_and_lengths_select_the_same_stream() {
        let key = StreamKey::new(&[7; 16]);
        let mut whole = vec![0; 40_000];
        fill(&key, 5, 3, 0, &mut whole).unwrap();
        for start in [0, 1, 63, 64, 65, 511, 512, 513, 1000] {
            for length in [0, 1, 15, 16, 17, 100, 1024, 1025, 8192, 9000] {
                let mut part = vec![0; length];
                fill(&key, 5, 3, start, &mut part).unwrap();
                let from = start as usize * 16;
                assert_eq!(part, whole[from..from + length], "{start} {length}");
            }
        }
    }

    #[test]
    fn the_index_does_not_run_into_the_lane() {
        let key = StreamKey::new(&[7; 16]);
        assert!(fill(&key, 0, 0, MAX_BLOCKS - 1, &mut [0; 16]).is_ok());
        assert!(fill(&key, 0, 0, MAX_BLOCKS - 1, &mut [0; 17]).is_err());
        assert!(fill(&key, 0, 0, MAX_BLOCKS, &mut [0; 0]).is_ok());
    }
}
