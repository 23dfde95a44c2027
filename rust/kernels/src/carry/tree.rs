//! One level of the carry tree: neighbouring (g, p) pairs are joined, with a fresh mask.

use super::{Planes, PlanesMut};
use crate::Mismatch;
use crate::lanes::{Lanes, lanes};
use crate::stream::{Stream, StreamKey};

/// Words of stream made at a time.
const BUFFER: usize = 2048;

/// The masks F(own) ^ F(next) of a level.
#[derive(Clone, Copy)]
pub struct Masks<'a> {
    /// The keys of the party's two shares.
    pub keys: [&'a StreamKey; 2],
    /// The nonce of the operation.
    pub nonce: u64,
    /// The lane of the level.
    pub lane: u16,
}

/// One more pair after the others: planes `plane` and `plane + 1` of another array.
#[derive(Clone, Copy)]
pub struct Tail<'a> {
    /// The party's two shares.
    pub shares: [Planes<'a>; 2],
    /// The plane of g; p follows.
    pub plane: usize,
}

/// The local terms of a & b, each given as a party's two shares.
#[inline(always)]
fn and<V: Lanes<W>, const W: usize>(a: [V; 2], b: [V; 2]) -> V {
    a[0].and(b[0].xor(b[1])).xor(a[1].and(b[0]))
}

lanes! {
    fn join(state: [&[u64]; 2], planes: usize, tail: Option<Tail<'_>>, streams: [Stream<'_>; 2],
            extra: Option<&[u64]>, out: &mut [u64]) {
        let pairs = planes.div_ceil(2);
        let outputs = 2 * ((pairs + usize::from(tail.is_some())) / 2) - 1;
        let state = state.map(|share| share.as_chunks::<W>().0);
        // Where a tail's planes lie in its arrays; without one they are never read.
        let (tail, stride, offset) = match tail {
            Some(Tail { shares, plane }) => {
                (shares.map(|share| share.words.as_chunks::<W>().0), shares[0].shape[1], plane)
            }
            None => (state, planes, 0),
        };
        let mut scratch = [0; BUFFER];
        // An even number of blocks, so that reads begin at cipher blocks.
        let span = (BUFFER / (outputs * W)) & !1;
        for (s, out) in out.chunks_mut(span * outputs * W).enumerate() {
            let from = s * span * outputs * W;
            let scratch = &mut scratch[..out.len()];
            streams[0].read(from, out);
            streams[1].read(from, scratch);
            let masks = scratch.as_chunks::<W>().0.chunks_exact(outputs);
            let out = out.as_chunks_mut::<W>().0.chunks_exact_mut(outputs);
            for ((i, out), masks) in out.enumerate().zip(masks) {
                let block = s * span + i;
                let row = state.map(|share| &share[block * planes..(block + 1) * planes]);
                let last = tail.map(|share| &share[block * stride + offset..]);
                let low = |j: usize| [V::load(&row[0][j]), V::load(&row[1][j])];
                // g (own share alone) and p of the upper pair.
                let high = |pair: usize| {
                    let (row, j) = if pair < pairs { (row, 2 * pair - 1) } else { (last, 0) };
                    let p = [V::load(&row[0][j + 1]), V::load(&row[1][j + 1])];
                    (V::load(&row[0][j]), p)
                };
                let masked = |value: V, mask: &[u64; W], out: &mut [u64; W]| {
                    value.xor(V::load(out)).xor(V::load(mask)).store(out);
                };
                let (g_high, p_high) = high(1);
                let mut g = g_high.xor(and(p_high, low(0)));
                if let Some(extra) = extra {
                    g = g.xor(V::load(&extra.as_chunks::<W>().0[block]));
                }
                masked(g, &masks[0], &mut out[0]);
                let rest = out[1..].as_chunks_mut::<2>().0.iter_mut();
                for (k, (out, masks)) in rest.zip(masks[1..].as_chunks::<2>().0).enumerate() {
                    let pair = 2 * (k + 1);
                    let (g_high, p_high) = high(pair + 1);
                    let g = g_high.xor(and(p_high, low(2 * pair - 1)));
                    masked(g, &masks[0], &mut out[0]);
                    masked(and(p_high, low(2 * pair)), &masks[1], &mut out[1]);
                }
            }
        }
    }
}

/// Join pairs 2i and 2i + 1 of `state` (own, next; (blocks, 2k-1, width), with an optional tail)
/// into the pairs of `out`: g = g_hi ^ p_hi g_lo, p = p_hi p_lo, masked.
///
/// `extra` (blocks, 1, width) is added to the only g of the last level.
///
/// # Errors
/// If shapes do not fit.
pub fn carry_level(
    state: [Planes<'_>; 2],
    tail: Option<Tail<'_>>,
    masks: Masks<'_>,
    extra: Option<Planes<'_>>,
    out: PlanesMut<'_>,
) -> Result<(), Mismatch> {
    let [blocks, planes, width] = state[0].shape;
    if width != 1 && width != 8 {
        return Err(Mismatch("the width must be 1 or 8"));
    }
    if planes.is_multiple_of(2) {
        return Err(Mismatch("k pairs have 2k - 1 planes"));
    }
    let pairs = planes.div_ceil(2) + usize::from(tail.is_some());
    if !(2..=128).contains(&pairs) {
        return Err(Mismatch("a level joins 2 to 128 pairs"));
    }
    let outputs = 2 * (pairs / 2) - 1;
    let words =
        [state[0].check([blocks, planes, width])?, state[1].check([blocks, planes, width])?];
    if let Some(tail) = tail {
        let stride = tail.shares[0].shape[1];
        for share in tail.shares {
            share.check([blocks, stride, width])?;
        }
        if stride < 2 || tail.plane > stride - 2 {
            return Err(Mismatch("the tail's planes lie outside its arrays"));
        }
    }
    let extra = extra.map(|extra| extra.check([blocks, 1, width])).transpose()?;
    if extra.is_some() && outputs != 1 {
        return Err(Mismatch("extra is for the last level, which has one output"));
    }
    let out = out.check([blocks, outputs, width])?;
    let streams = masks.keys.map(|key| Stream::new(key, masks.nonce, masks.lane));
    join(width, words, planes, tail, streams, extra, out);
    Ok(())
}
