//! One level of the carry tree: neighbouring (g, p) pairs are joined, with a fresh mask.

use super::{Planes, PlanesMut, Word};
use crate::Mismatch;
use crate::path::multiversion;
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

/// The tail as rows of (g, p), `stride` planes apart.
#[derive(Clone, Copy)]
struct Rows<'a, const W: usize> {
    shares: [&'a [[u64; W]]; 2],
    stride: usize,
    plane: usize,
}

/// A party's two shares of one plane.
type Shares<const W: usize> = [Word<W>; 2];

/// The local terms of a & b.
#[inline(always)]
fn and<const W: usize>(a: Shares<W>, b: Shares<W>) -> Word<W> {
    (a[0] & (b[0] ^ b[1])) ^ (a[1] & b[0])
}

multiversion! {
    fn join[const W: usize](state: [&[[u64; W]]; 2], planes: usize, tail: Option<Rows<'_, W>>,
                            streams: [Stream<'_>; 2], extra: Option<&[[u64; W]]>,
                            out: &mut [[u64; W]]) {
        let pairs = planes.div_ceil(2);
        let outputs = 2 * ((pairs + usize::from(tail.is_some())) / 2) - 1;
        let mut scratch = [0; BUFFER];
        // An even number of blocks, so that reads begin at cipher blocks.
        let span = (BUFFER / (outputs * W)) & !1;
        for (s, out) in out.chunks_mut(span * outputs).enumerate() {
            let from = s * span * outputs * W;
            let scratch = &mut scratch[..out.len() * W];
            streams[0].read(from, out.as_flattened_mut());
            streams[1].read(from, scratch);
            let masks = scratch.as_chunks::<W>().0.chunks_exact(outputs);
            for ((i, out), masks) in out.chunks_exact_mut(outputs).enumerate().zip(masks) {
                let block = s * span + i;
                let row = state.map(|state| &state[block * planes..(block + 1) * planes]);
                let plane = |j: usize| row.map(|row| Word(row[j]));
                let high = |pair: usize| {
                    if pair < pairs {
                        [plane(2 * pair - 1), plane(2 * pair)]
                    } else if let Some(tail) = tail {
                        let from = block * tail.stride + tail.plane;
                        [from, from + 1].map(|j| tail.shares.map(|share| Word(share[j])))
                    } else {
                        unreachable!("the last pair is the tail")
                    }
                };
                let [g_high, p_high] = high(1);
                let mut g = g_high[0] ^ and(p_high, plane(0));
                if let Some(extra) = extra {
                    g = g ^ Word(extra[block]);
                }
                out[0] = (g ^ Word(out[0]) ^ Word(masks[0])).0;
                let rest = out[1..].as_chunks_mut::<2>().0.iter_mut();
                for (k, (out, masks)) in rest.zip(masks[1..].as_chunks::<2>().0).enumerate() {
                    let low = 2 * (k + 1);
                    let [g_high, p_high] = high(low + 1);
                    let g = g_high[0] ^ and(p_high, plane(2 * low - 1));
                    let p = and(p_high, plane(2 * low));
                    *out = [
                        (g ^ Word(out[0]) ^ Word(masks[0])).0,
                        (p ^ Word(out[1]) ^ Word(masks[1])).0,
                    ];
                }
            }
        }
    }
}

fn level<const W: usize>(
    state: [&[u64]; 2],
    planes: usize,
    tail: Option<(Tail<'_>, usize)>,
    masks: Masks<'_>,
    extra: Option<&[u64]>,
    out: &mut [u64],
) {
    let streams = masks.keys.map(|key| Stream::new(key, masks.nonce, masks.lane));
    let tail = tail.map(|(tail, stride)| Rows {
        shares: tail.shares.map(|share| share.words.as_chunks().0),
        stride,
        plane: tail.plane,
    });
    let extra = extra.map(|extra| extra.as_chunks().0);
    join::<W>(state.map(|s| s.as_chunks().0), planes, tail, streams, extra, out.as_chunks_mut().0);
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
    let words = [state[0].check([blocks, planes, width])?, state[1].check([blocks, planes, width])?];
    let tail = match tail {
        Some(tail) => {
            let stride = tail.shares[0].shape[1];
            for share in tail.shares {
                share.check([blocks, stride, width])?;
            }
            if stride < 2 || tail.plane > stride - 2 {
                return Err(Mismatch("the tail's planes lie outside its arrays"));
            }
            Some((tail, stride))
        }
        None => None,
    };
    let extra = extra.map(|extra| extra.check([blocks, 1, width])).transpose()?;
    if extra.is_some() && outputs != 1 {
        return Err(Mismatch("extra is for the last level, which has one output"));
    }
    let out = out.check([blocks, outputs, width])?;
    if width == 1 {
        level::<1>(words, planes, tail, masks, extra, out);
    } else {
        level::<8>(words, planes, tail, masks, extra, out);
    }
    Ok(())
}
