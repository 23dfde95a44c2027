//! The carry into bit 63 of s + t, bit-sliced; roles A, B, C.
//!
//! A *block* is 64·W values; an array of planes has shape (blocks, planes, W). Bits 0..=62 are
//! 21 groups of three with seven monomials each; bit 63 comes after them. The first level of the
//! carry tree has a pair (g, p) for each group, but no p for the first.

mod tree;
pub(crate) mod wide;

pub use tree::{Masks, Tail, carry_level};

use crate::lanes::{Lanes, lanes};
use crate::planes::{Sliced, slice_bits};
use crate::stream::{Stream, StreamKey};
use crate::truncation::Role;
use crate::{Mismatch, same_length};

/// Groups of three bits.
const GROUPS: usize = 21;
/// Monomial planes: seven for each group, in the order a0, a1, a2, a1a0, a2a0, a2a1, a2a1a0.
const MONOMIALS: usize = 7 * GROUPS;
/// Planes of the first level of the tree.
const LEVEL_0: usize = 2 * GROUPS - 1;
/// Blocks handled between two reads of a stream; even, so that reads begin at cipher blocks.
const SPAN: usize = 2;

/// Planes (blocks, planes, width).
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    /// blocks · planes · width words.
    pub words: &'a [u64],
    /// The shape.
    pub shape: [usize; 3],
}

/// Planes (blocks, planes, width) to be written.
pub struct PlanesMut<'a> {
    /// blocks · planes · width words.
    pub words: &'a mut [u64],
    /// The shape.
    pub shape: [usize; 3],
}

fn check_shape(length: usize, shape: [usize; 3], wanted: [usize; 3]) -> Result<(), Mismatch> {
    let size = shape[0].checked_mul(shape[1]).and_then(|size| size.checked_mul(shape[2]));
    if shape == wanted && size == Some(length) {
        Ok(())
    } else {
        Err(Mismatch("an array of planes does not have the shape (blocks, planes, width)"))
    }
}

impl<'a> Planes<'a> {
    fn check(&self, wanted: [usize; 3]) -> Result<&'a [u64], Mismatch> {
        check_shape(self.words.len(), self.shape, wanted)?;
        Ok(self.words)
    }
}

impl<'a> PlanesMut<'a> {
    fn check(self, wanted: [usize; 3]) -> Result<&'a mut [u64], Mismatch> {
        check_shape(self.words.len(), self.shape, wanted)?;
        Ok(self.words)
    }
}

fn blocks_of(n: usize, width: usize) -> Result<usize, Mismatch> {
    match width {
        1 | 8 => Ok(n.div_ceil(64 * width)),
        _ => Err(Mismatch("the width must be 1 or 8")),
    }
}

/// Cut values `64 W block`, … into planes, with zeros beyond the end; `value(i)` gives them.
#[inline(always)]
fn slice_block<V: Lanes<W>, const W: usize>(
    block: usize,
    n: usize,
    value: impl Fn(usize) -> u64,
    planes: &mut Sliced<W>,
) {
    let from = block * 64 * W;
    let mut values = [[0; 64]; W];
    if n - from >= 64 * W {
        for (i, v) in values.as_flattened_mut().iter_mut().enumerate() {
            *v = value(from + i);
        }
    } else {
        for (i, v) in values.as_flattened_mut()[..n - from].iter_mut().enumerate() {
            *v = value(from + i);
        }
    }
    slice_bits::<V, W>(&values, planes);
}

lanes! {
    /// Add the monomials of the groups of x0 + x1 (and its top bit) to the masks in `message`.
    fn add_monomials(x: [&[u64]; 2], mask: Stream<'_>, planes: usize, message: &mut [u64],
                     tops: [&mut [u64]; 2]) {
        let n = x[0].len();
        let x = x.map(|share| &share[..n]);
        let [top_own, top_next] = tops.map(|top| top.as_chunks_mut::<W>().0);
        let mut bits = [[0; W]; 64];
        for (span, message) in message.chunks_mut(SPAN * planes * W).enumerate() {
            mask.read(span * SPAN * planes * W, message);
            let message = message.as_chunks_mut::<W>().0.chunks_exact_mut(planes);
            for (i, message) in message.enumerate() {
                let block = span * SPAN + i;
                let sum = |i: usize| x[0][i].wrapping_add(x[1][i]);
                slice_block::<V, W>(block, n, sum, &mut bits);
                let (groups, top) = message.split_at_mut(MONOMIALS);
                let groups = groups.as_chunks_mut::<7>().0.iter_mut();
                for (out, a) in groups.zip(bits.as_chunks::<3>().0) {
                    let [a0, a1, a2] = [V::load(&a[0]), V::load(&a[1]), V::load(&a[2])];
                    let (a10, a20, a21) = (a1.and(a0), a2.and(a0), a2.and(a1));
                    let monomials = [a0, a1, a2, a10, a20, a21, a21.and(a0)];
                    for (out, monomial) in out.iter_mut().zip(monomials) {
                        V::load(out).xor(monomial).store(out);
                    }
                }
                if let [top] = top {
                    top_next[block] = *top;
                    V::load(top).xor(V::load(&bits[63])).store(top);
                    top_own[block] = *top;
                }
            }
        }
    }
}

/// (g, p) of three bits from shares of the monomials of s and the bits of t.
///
/// g is the carry out of the three-bit sum and p = (a0 ^ t0)(a1 ^ t1)(a2 ^ t2), both linear in
/// the monomials; the constant t2 t1 t0 of p is added by B alone.
#[inline(always)]
fn generate<V: Lanes<W>, const W: usize>(
    role: Role,
    monomials: &[[u64; W]; 7],
    t: &[[u64; W]; 3],
) -> [V; 2] {
    let (m0, m1, m2) = (V::load(&monomials[0]), V::load(&monomials[1]), V::load(&monomials[2]));
    let (m10, m20, m21) = (V::load(&monomials[3]), V::load(&monomials[4]), V::load(&monomials[5]));
    let (m210, t0, t1, t2) =
        (V::load(&monomials[6]), V::load(&t[0]), V::load(&t[1]), V::load(&t[2]));
    // g = m2 t2 + m21 t1 + t0 (m210 + t1 m20) + t2 (m1 t1 + t0 (m10 + t1 m0))
    let g = m2.and(t2).xor(m21.and(t1)).xor(t0.and(m210.xor(t1.and(m20))));
    let g = g.xor(t2.and(m1.and(t1).xor(t0.and(m10.xor(t1.and(m0))))));
    let constant = match role {
        Role::B => m0.xor(t0),
        Role::C => m0,
    };
    // p = m210 + t0 m21 + t1 (m20 + t0 m2) + t2 (m10 + t0 m1 + t1 (m0 [+ t0]))
    let p = m210.xor(t0.and(m21)).xor(t1.and(m20.xor(t0.and(m2))));
    let p = p.xor(t2.and(m10.xor(t0.and(m1)).xor(t1.and(constant))));
    [g, p]
}

lanes! {
    /// Add the local shares of (g, p) to the masks in `out`.
    fn add_pairs(role: Role, t: &[u64], message: Option<&[u64]>, stream: Stream<'_>, planes: usize,
                 out: &mut [u64], tops: [&mut [u64]; 2]) {
        let [top_t, top_s] = tops.map(|top| top.as_chunks_mut::<W>().0);
        let mut bits = [[0; W]; 64];
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
            slice_block::<V, W>(block, t.len(), |i| t[i], &mut bits);
            let (groups, top) = shares.split_at(MONOMIALS);
            let mut groups = groups.as_chunks::<7>().0.iter().zip(bits.as_chunks::<3>().0);
            let (first, pairs) = out.split_at_mut(1);
            if let Some((shares, t)) = groups.next() {
                let [g, _] = generate::<V, W>(role, shares, t);
                V::load(&first[0]).xor(g).store(&mut first[0]);
            }
            for ((shares, t), [out_g, out_p]) in groups.zip(pairs.as_chunks_mut::<2>().0) {
                let [g, p] = generate::<V, W>(role, shares, t);
                V::load(out_g).xor(g).store(out_g);
                V::load(out_p).xor(p).store(out_p);
            }
            if let [top] = top {
                top_t[block] = bits[63];
                top_s[block] = *top;
            }
        }
    }
}

/// A: share the monomials of s = x_own + x_next between B and C.
///
/// `keys` are those with C and with B; the outputs are the message (147 planes, 148 with the
/// top bit), A's two shares of the first level and of the top bit.
///
/// # Errors
/// If shapes do not fit the number of values.
#[allow(clippy::too_many_arguments)]
pub fn carry_monomials(
    x: [&[u64]; 2],
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
    let mask = Stream::new(key_ab, nonce, 0);
    add_monomials(width, x, mask, planes, message, tops);
    Stream::new(key_ca, nonce, 1).read(0, own);
    Stream::new(key_ab, nonce, 1).read(0, next);
    Ok(())
}

/// B and C: shares of the first level of the tree from shares of the monomials.
///
/// `key` is the one shared with A; `message` what A sent (C) or None (B). The outputs are the
/// masked local shares, the mask (this party's share of the level), bit 63 of t, and this
/// party's share of bit 63 of s.
///
/// # Errors
/// If shapes do not fit the number of values, or the message does not go with the role.
#[allow(clippy::too_many_arguments)]
pub fn carry_generate(
    role: Role,
    t: &[u64],
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
    let stream = Stream::new(key, nonce, 0);
    add_pairs(width, role, t, message, stream, planes, out, tops);
    Ok(())
}
