//! The local part of a four-party truncation by m bits: shifts, top bits, carries.
//!
//! Two parties know one summand of the number, the other two the other one. What a pair knows it
//! shares by INP: its summand shifted, and that summand's top bit in a small field. Then products
//! of shares of the two top bits, in that field, whose sum counts modulo 2^m.

use crate::path::multiversion;
use crate::stream::{Stream, StreamKey};
use crate::truncation::{Field, check_bits, shift};
use crate::{CHUNK, Mismatch, same_length};

multiversion! {
    fn halves[F: Field](first: &[u64], second: Option<&[u64]>, offset: u64, m: u32,
                        streams: [Stream<'_>; 2], mask: &mut [u64], rest: &mut [u64],
                        field_mask: &mut [F], field_rest: &mut [F]) {
        let chunks = mask.chunks_mut(CHUNK).zip(rest.chunks_mut(CHUNK));
        let fields = field_mask.chunks_mut(CHUNK).zip(field_rest.chunks_mut(CHUNK));
        for (k, ((mask, rest), (field_mask, field_rest))) in chunks.zip(fields).enumerate() {
            let (from, n) = (k * CHUNK, mask.len());
            let (field_mask, field_rest) = (&mut field_mask[..n], &mut field_rest[..n]);
            streams[0].read(from, mask);
            streams[1].read(from, field_mask);
            let rest = &mut rest[..n];
            rest.copy_from_slice(&first[from..from + n]);
            if let Some(second) = second {
                for (known, second) in rest.iter_mut().zip(&second[from..from + n]) {
                    *known = known.wrapping_add(*second);
                }
            }
            for i in 0..n {
                let known = rest[i].wrapping_add(offset);
                rest[i] = shift(known, m).wrapping_sub(mask[i]);
                field_rest[i] = F::low((known >> 63).wrapping_sub(field_mask[i].word()));
            }
        }
    }
}

multiversion! {
    fn carry[F: Field](a: &[F], b: &[F], stream: Stream<'_>, m: u32, offset: u64,
                       share_mask: &mut [u64], share_rest: &mut [u64], rest: &mut [F]) {
        let mut mask = [F::zeroed(); CHUNK];
        let shares = share_mask.chunks_mut(CHUNK).zip(share_rest.chunks_mut(CHUNK));
        for (k, ((share_mask, share_rest), rest)) in
            shares.zip(rest.chunks_mut(CHUNK)).enumerate()
        {
            let (from, n) = (k * CHUNK, share_mask.len());
            let (mask, share_rest, rest) = (&mut mask[..n], &mut share_rest[..n], &mut rest[..n]);
            let (a, b) = (&a[from..from + n], &b[from..from + n]);
            stream.read(from, mask);
            for i in 0..n {
                rest[i] = F::low(a[i].word().wrapping_mul(b[i].word()).wrapping_sub(mask[i].word()));
                let [of_mask, of_rest] = [mask[i], rest[i]].map(|part| part.word() << (64 - m));
                share_mask[i] = share_mask[i].wrapping_add(of_mask).wrapping_add(offset);
                share_rest[i] = share_rest[i].wrapping_add(of_rest);
            }
        }
    }
}

multiversion! {
    fn placed[F: Field](field: &[F], m: u32, offset: u64, share: &mut [u64]) {
        for (share, part) in share.iter_mut().zip(field) {
            *share = share.wrapping_add(part.word() << (64 - m)).wrapping_add(offset);
        }
    }
}

/// Share what a pair knows, `first + second + offset`: shifted by m, and its top bit.
///
/// The masks come from the two lanes of R's key; `rest` and `field_rest` are what S sends.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
#[allow(clippy::too_many_arguments)]
pub fn joint_halves<F: Field>(
    first: &[u64],
    second: Option<&[u64]>,
    offset: u64,
    m: u32,
    key: &StreamKey,
    nonce: u64,
    lanes: [u16; 2],
    [mask, rest]: [&mut [u64]; 2],
    [field_mask, field_rest]: [&mut [F]; 2],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    let n = mask.len();
    same_length(n, [first.len(), second.map_or(n, <[u64]>::len), rest.len()])?;
    same_length(n, [field_mask.len(), field_rest.len()])?;
    let streams = lanes.map(|lane| Stream::new(key, nonce, lane));
    halves(first, second, offset, m, streams, mask, rest, field_mask, field_rest);
    Ok(())
}

/// Share a product of the field: `rest = a b - mask`, and add both, placed, to their shares.
///
/// The mask is added to its share with an offset.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
#[allow(clippy::too_many_arguments)]
pub fn joint_carry<F: Field>(
    [a, b]: [&[F]; 2],
    key: &StreamKey,
    nonce: u64,
    lane: u16,
    m: u32,
    offset: u64,
    [share_mask, share_rest]: [&mut [u64]; 2],
    rest: &mut [F],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(rest.len(), [a.len(), b.len(), share_mask.len(), share_rest.len()])?;
    carry(a, b, Stream::new(key, nonce, lane), m, offset, share_mask, share_rest, rest);
    Ok(())
}

/// `share += field 2^(64-m) + offset`.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
pub fn joint_placed<F: Field>(
    field: &[F],
    m: u32,
    offset: u64,
    share: &mut [u64],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(field.len(), [share.len()])?;
    placed(field, m, offset, share);
    Ok(())
}
