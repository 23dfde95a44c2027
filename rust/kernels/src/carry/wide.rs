//! The carry into bit 127 of s + t over Z_2^128: a group of one bit below 42 groups of three.

use super::{Planes, PlanesMut, SPAN, blocks_of, generate, slice_block};
use crate::lanes::{Lanes, lanes};
use crate::stream::{Stream, StreamKey};
use crate::truncation::Role;
use crate::wide::Wide;
use crate::{Mismatch, same_length};

/// Groups: bit 0 alone, then bits 1 to 126 by threes.
const GROUPS: usize = 43;
/// Monomial planes: bit 0 itself, then seven for each further group.
const MONOMIALS: usize = 1 + 7 * (GROUPS - 1);
/// Planes of the first level of the tree.
const LEVEL_0: usize = 2 * GROUPS - 1;

/// Cut both words of the values of a block into planes.
#[inline(always)]
fn slice_both<V: Lanes<W>, const W: usize>(
    block: usize,
    n: usize,
    value: impl Fn(usize) -> Wide,
    planes: &mut [[[u64; W]; 64]; 2],
) {
    let [low, high] = planes;
    slice_block::<V, W>(block, n, |i| value(i)[0], low);
    slice_block::<V, W>(block, n, |i| value(i)[1], high);
}

#[inline(always)]
fn sum(a: Wide, b: Wide) -> Wide {
    let (low, carry) = a[0].overflowing_add(b[0]);
    [low, a[1].wrapping_add(b[1]).wrapping_add(u64::from(carry))]
}

lanes! {
    /// Add the monomials of the groups of x0 + x1 (and its top bit) to the masks in `message`.
    fn add_monomials(x: [&[Wide]; 2], mask: Stream<'_>, planes: usize, message: &mut [u64],
                     tops: [&mut [u64]; 2]) {
        let n = x[0].len();
        let x = x.map(|share| &share[..n]);
        let [top_own, top_next] = tops.map(|top| top.as_chunks_mut::<W>().0);
        let mut bits = [[[0; W]; 64]; 2];
        for (span, message) in message.chunks_mut(SPAN * planes * W).enumerate() {
            mask.read(span * SPAN * planes * W, message);
            let message = message.as_chunks_mut::<W>().0.chunks_exact_mut(planes);
            for (i, message) in message.enumerate() {
                let block = span * SPAN + i;
                slice_both::<V, W>(block, n, |i| sum(x[0][i], x[1][i]), &mut bits);
                let (groups, top) = message.split_at_mut(MONOMIALS);
                let bits = bits.as_flattened();
                let (first, groups) = groups.split_at_mut(1);
                V::load(&first[0]).xor(V::load(&bits[0])).store(&mut first[0]);
                let groups = groups.as_chunks_mut::<7>().0.iter_mut();
                for (out, a) in groups.zip(bits[1..].as_chunks::<3>().0) {
                    let [a0, a1, a2] = [V::load(&a[0]), V::load(&a[1]), V::load(&a[2])];
                    let (a10, a20, a21) = (a1.and(a0), a2.and(a0), a2.and(a1));
                    let monomials = [a0, a1, a2, a10, a20, a21, a21.and(a0)];
                    for (out, monomial) in out.iter_mut().zip(monomials) {
                        V::load(out).xor(monomial).store(out);
                    }
                }
                if let [top] = top {
                    top_next[block] = *top;
                    V::load(top).xor(V::load(&bits[127])).store(top);
                    top_own[block] = *top;
                }
            }
        }
    }
}

lanes! {
    /// Add the local shares of (g, p) to the masks in `out`.
    fn add_pairs(role: Role, t: &[Wide], message: Option<&[u64]>, stream: Stream<'_>, planes: usize,
                 out: &mut [u64], tops: [&mut [u64]; 2]) {
        let [top_t, top_s] = tops.map(|top| top.as_chunks_mut::<W>().0);
        let mut bits = [[[0; W]; 64]; 2];
        let mut scratch = [[0; W]; SPAN * (MONOMIALS + 1)];
        let out = out.as_chunks_mut::<W>().0.chunks_exact_mut(LEVEL_0);
        for (block, out) in out.enumerate() {
            let shares = if let Some(message) = message {
                &message.as_chunks::<W>().0[block * planes..(block + 1) * planes]
            } else {
                if block % SPAN == 0 {
                    let scratch = &mut scratch[..SPAN * planes];
                    stream.read(block * planes * W, scratch.as_flattened_mut());
                }
                &scratch[block % SPAN * planes..][..planes]
            };
            slice_both::<V, W>(block, t.len(), |i| t[i], &mut bits);
            let bits = bits.as_flattened();
            let (groups, top) = shares.split_at(MONOMIALS);
            let (first, pairs) = out.split_at_mut(1);
            // g of a single bit is a0 t0.
            let g = V::load(&groups[0]).and(V::load(&bits[0]));
            V::load(&first[0]).xor(g).store(&mut first[0]);
            let groups = groups[1..].as_chunks::<7>().0.iter().zip(bits[1..].as_chunks::<3>().0);
            for ((shares, t), [out_g, out_p]) in groups.zip(pairs.as_chunks_mut::<2>().0) {
                let [g, p] = generate::<V, W>(role, shares, t);
                V::load(out_g).xor(g).store(out_g);
                V::load(out_p).xor(p).store(out_p);
            }
            if let [top] = top {
                top_t[block] = bits[127];
                top_s[block] = *top;
            }
        }
    }
}

/// A: share the monomials of s = x_own + x_next between B and C.
///
/// `keys` are those with C and with B; the outputs are the message (295 planes, 296 with the
/// top bit), A's two shares of the first level and of the top bit.
///
/// # Errors
/// If shapes do not fit the number of values.
#[allow(clippy::too_many_arguments)]
pub fn carry_monomials(
    x: [&[Wide]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    width: usize,
    with_top: bool,
    message: PlanesMut<'_>,
    levels: [PlanesMut<'_>; 2],
    tops: [PlanesMut<'_>; 2],
) -> Result<(), Mismatch> {
    same_length(x[0].len(), [x[1].len()])?;
    let blocks = blocks_of(x[0].len(), width)?;
    let planes = MONOMIALS + usize::from(with_top);
    let message = message.check([blocks, planes, width])?;
    let [own, next] = levels;
    let own = own.check([blocks, LEVEL_0, width])?;
    let next = next.check([blocks, LEVEL_0, width])?;
    let [top_own, top_next] = tops;
    let tops = [top_own.check([blocks, 1, width])?, top_next.check([blocks, 1, width])?];
    let [key_ca, key_ab] = keys;
    if !with_top {
        tops[0].fill(0);
        tops[1].fill(0);
    }
    add_monomials(width, x, Stream::new(key_ab, nonce, 0), planes, message, tops);
    Stream::new(key_ca, nonce, 1).read(0, own);
    Stream::new(key_ab, nonce, 1).read(0, next);
    Ok(())
}

/// B and C: shares of the first level of the tree from shares of the monomials.
///
/// `key` is the one shared with A; `message` what A sent (C) or None (B). The outputs are the
/// masked local shares, the mask (this party's share of the level), bit 127 of t, and this
/// party's share of bit 127 of s.
///
/// # Errors
/// If shapes do not fit the number of values, or the message does not go with the role.
#[allow(clippy::too_many_arguments)]
pub fn carry_generate(
    role: Role,
    t: &[Wide],
    message: Option<Planes<'_>>,
    key: &StreamKey,
    nonce: u64,
    width: usize,
    with_top: bool,
    out: PlanesMut<'_>,
    level: PlanesMut<'_>,
    tops: [PlanesMut<'_>; 2],
) -> Result<(), Mismatch> {
    let blocks = blocks_of(t.len(), width)?;
    let planes = MONOMIALS + usize::from(with_top);
    if message.is_some() != (role == Role::C) {
        return Err(Mismatch("role C has a message and role B has none"));
    }
    let message = message.map(|message| message.check([blocks, planes, width])).transpose()?;
    let out = out.check([blocks, LEVEL_0, width])?;
    let level = level.check([blocks, LEVEL_0, width])?;
    let [top_t, top_s] = tops;
    let tops = [top_t.check([blocks, 1, width])?, top_s.check([blocks, 1, width])?];
    if !with_top {
        tops[0].fill(0);
        tops[1].fill(0);
    }
    Stream::new(key, nonce, 1).read(0, level);
    out.copy_from_slice(level);
    add_pairs(width, role, t, message, Stream::new(key, nonce, 0), planes, out, tops);
    Ok(())
}
