//! The local part of a four-party product: its terms, the masks of its messages, the shares.
//!
//! Parties 0 to 3; each holds the shares and keys of the three other indices, in ascending order
//! here. A term belongs to a pair of shares and is known to the two parties outside it, which make a
//! sharing of it by INP(S, B, R, O) (joint message passing): share R takes a mask from R's key,
//! share O the term less the mask, which S sends to R.

mod truncation;

pub use truncation::{joint_carry, joint_halves, joint_placed};

use bytemuck::Pod;

use crate::Mismatch;
use crate::path::multiversion;
use crate::stream::{Stream, StreamKey};
use crate::wide::{Wide, element, number};

/// S, B and R of the six messages of a product; the message's place is its lane.
const ROLES: [[usize; 3]; 6] = [[0, 1, 3], [1, 2, 0], [2, 3, 1], [3, 0, 2], [0, 2, 3], [1, 3, 2]];

/// What shares are elements of.
pub trait Algebra: Copy {
    /// An element in memory.
    type Element: Pod;
    /// a + b.
    fn add(a: Self::Element, b: Self::Element) -> Self::Element;
    /// a - b.
    fn subtract(a: Self::Element, b: Self::Element) -> Self::Element;
    /// a · b.
    fn multiply(a: Self::Element, b: Self::Element) -> Self::Element;
}

/// Z_2^64.
#[derive(Clone, Copy, Debug)]
pub struct Words;

/// Packed bits under XOR and AND.
#[derive(Clone, Copy, Debug)]
pub struct Packed;

/// Z_2^128.
#[derive(Clone, Copy, Debug)]
pub struct Long;

impl Algebra for Words {
    type Element = u64;

    #[inline(always)]
    fn add(a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn subtract(a: u64, b: u64) -> u64 {
        a.wrapping_sub(b)
    }

    #[inline(always)]
    fn multiply(a: u64, b: u64) -> u64 {
        a.wrapping_mul(b)
    }
}

impl Algebra for Packed {
    type Element = u64;

    #[inline(always)]
    fn add(a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline(always)]
    fn subtract(a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline(always)]
    fn multiply(a: u64, b: u64) -> u64 {
        a & b
    }
}

impl Algebra for Long {
    type Element = Wide;

    #[inline(always)]
    fn add(a: Wide, b: Wide) -> Wide {
        element(number(a).wrapping_add(number(b)))
    }

    #[inline(always)]
    fn subtract(a: Wide, b: Wide) -> Wide {
        element(number(a).wrapping_sub(number(b)))
    }

    #[inline(always)]
    fn multiply(a: Wide, b: Wide) -> Wide {
        element(number(a).wrapping_mul(number(b)))
    }
}

/// A party's three shares of each of two factors.
type Factors<'a, E> = [[&'a [E]; 3]; 2];

/// Elements handled at a time: all buffers stay in the level-1 cache.
const PIECE: usize = 128;

/// The three pairs among three places.
const PAIRS: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];

multiversion! {
    fn pass[A: Algebra](_algebra: A, party: usize, factors: Option<Factors<'_, A::Element>>,
                        keys: [&StreamKey; 3], nonce: u64, shares: [&mut [A::Element]; 3],
                        terms: [&mut [A::Element]; 3]) {
        let mut shares = shares;
        let zero: A::Element = bytemuck::Zeroable::zeroed();
        let place = |index: usize| index - usize::from(index > party);
        let index = |place: usize| place + usize::from(place >= party);
        let mut mask = [zero; PIECE];
        for from in (0..shares[0].len()).step_by(PIECE) {
            let to = shares[0].len().min(from + PIECE);
            let mask = &mut mask[..to - from];
            let mut sums = [[zero; PIECE]; 3];
            for (lane, [sender, backup, receiver]) in (0..).zip(ROLES) {
                if receiver == party {
                    continue;
                }
                let other = 6 - sender - backup - receiver;
                Stream::new(keys[place(receiver)], nonce, lane).read(from, mask);
                for (sum, mask) in sums[place(receiver)].iter_mut().zip(&*mask) {
                    *sum = A::add(*sum, *mask);
                }
                if other == party {
                    continue;
                }
                // Of places p < q the pair comes at p + q - 1.
                let pair = place(receiver) + place(other) - 1;
                let rest = &mut terms[pair][from..to];
                if let Some([x, y]) = factors {
                    let [a, b] = PAIRS[pair];
                    let x = [a, b].map(|j| &x[j][from..to]);
                    let y = [a, b].map(|j| &y[j][from..to]);
                    if index(b) - index(a) == 2 {
                        differences::<A>(x, y, rest);
                    } else {
                        products::<A>(x, y, rest);
                    }
                }
                let sums = sums[place(other)].iter_mut();
                for ((rest, mask), sum) in rest.iter_mut().zip(&*mask).zip(sums) {
                    *rest = A::subtract(*rest, *mask);
                    *sum = A::add(*sum, *rest);
                }
            }
            for (share, sum) in shares.iter_mut().zip(&sums) {
                share[from..to].copy_from_slice(&sum[..to - from]);
            }
        }
    }
}

/// F_ab = (x_a + x_b)(y_a + y_b).
#[inline(always)]
fn products<A: Algebra>(x: [&[A::Element]; 2], y: [&[A::Element]; 2], out: &mut [A::Element]) {
    let factors = x[0].iter().zip(x[1]).zip(y[0].iter().zip(y[1]));
    for (out, ((x_a, x_b), (y_a, y_b))) in out.iter_mut().zip(factors) {
        *out = A::multiply(A::add(*x_a, *x_b), A::add(*y_a, *y_b));
    }
}

/// F_ab = -(x_a - x_b)(y_a - y_b), for the pairs whose indices differ by two.
#[inline(always)]
fn differences<A: Algebra>(x: [&[A::Element]; 2], y: [&[A::Element]; 2], out: &mut [A::Element]) {
    let factors = x[0].iter().zip(x[1]).zip(y[0].iter().zip(y[1]));
    for (out, ((x_a, x_b), (y_a, y_b))) in out.iter_mut().zip(factors) {
        *out = A::multiply(A::subtract(*x_a, *x_b), A::subtract(*y_b, *y_a));
    }
}

/// Mask the terms of a product and add up what this party knows of the shares.
///
/// With factors, `terms` is overwritten with F_ab for the pairs of this party's shares, (0, 1),
/// (0, 2), (1, 2) by place; without, it holds them. Afterwards it holds each less its mask, what
/// the senders send; `shares` holds the sum of all parts but those that are still to be received.
///
/// # Errors
/// If the lengths differ, or there is no such party.
pub fn joint_terms<A: Algebra>(
    algebra: A,
    party: usize,
    factors: Option<[[&[A::Element]; 3]; 2]>,
    keys: [&StreamKey; 3],
    nonce: u64,
    shares: [&mut [A::Element]; 3],
    terms: [&mut [A::Element]; 3],
) -> Result<(), Mismatch> {
    if party > 3 {
        return Err(Mismatch("the party must be 0 to 3"));
    }
    let n = shares[0].len();
    let fits = |array: &&mut [A::Element]| array.len() == n;
    let inputs = factors.iter().flatten().flatten().all(|array| array.len() == n);
    if !inputs || !shares.iter().all(fits) || !terms.iter().all(fits) {
        return Err(Mismatch("arrays differ in length"));
    }
    pass(algebra, party, factors, keys, nonce, shares, terms);
    Ok(())
}

/// Monomials of three bits, in the order a0, a1, a2, a1a0, a2a0, a2a1, a2a1a0.
const MONOMIALS: usize = 7;

multiversion! {
    fn leaves(a: &[u64], b: &[u64], blocks: usize, lowest: usize, words: usize, out: &mut [u64]) {
        let (generates, propagates) = out.split_at_mut(blocks * words);
        for (q, g) in generates.chunks_exact_mut(words).enumerate() {
            let plane = |kind: usize| (kind * blocks + q) * words;
            let [a0, a1, a2, a10, a20, a21, a210]: [&[u64]; MONOMIALS] =
                std::array::from_fn(|kind| &a[plane(kind)..][..words]);
            let [b0, b1, b2, b10, b20, b21, b210]: [&[u64]; MONOMIALS] =
                std::array::from_fn(|kind| &b[plane(kind)..][..words]);
            for (i, g) in g.iter_mut().enumerate() {
                *g = (a2[i] & b2[i]) ^ (a21[i] & b1[i]) ^ (a1[i] & b21[i]) ^ (a210[i] & b0[i])
                    ^ (a20[i] & b10[i]) ^ (a10[i] & b20[i]) ^ (a0[i] & b210[i]);
            }
            let Some(place) = q.checked_sub(lowest) else { continue };
            for (i, p) in propagates[place * words..][..words].iter_mut().enumerate() {
                *p = (a0[i] & b21[i]) ^ (a1[i] & b20[i]) ^ (a2[i] & b10[i])
                    ^ (a10[i] & b2[i]) ^ (a20[i] & b1[i]) ^ (a21[i] & b0[i]);
            }
        }
    }
}

/// What shares of the monomials of two numbers' blocks of three bits give to (g, p) of their sum.
///
/// `a` and `b` are planes (7, blocks, words); `out` is planes of g of all blocks, then of p of the
/// blocks from `lowest` on, without the terms that are monomials of one number alone.
///
/// # Errors
/// If the lengths do not fit.
pub fn joint_leaves(
    a: &[u64],
    b: &[u64],
    blocks: usize,
    lowest: usize,
    out: &mut [u64],
) -> Result<(), Mismatch> {
    let planes = (2 * blocks).checked_sub(lowest).filter(|planes| *planes > 0 && lowest <= blocks);
    let Some(words) = planes.and_then(|planes| out.len().checked_div(planes)) else {
        return Err(Mismatch("there must be blocks, and not more without a propagate"));
    };
    if planes.is_none_or(|planes| planes * words != out.len()) {
        return Err(Mismatch("out must be of shape (2 blocks - lowest, words)"));
    }
    if [a, b].iter().any(|planes| planes.len() != MONOMIALS * blocks * words) {
        return Err(Mismatch("the monomials must be of shape (7, blocks, words)"));
    }
    if words > 0 {
        leaves(a, b, blocks, lowest, words, out);
    }
    Ok(())
}

multiversion! {
    fn injected[A: Algebra](_algebra: A, s: [&[A::Element]; 3], t: [&[A::Element]; 3],
                            with_one: bool, out: &mut [A::Element]) {
        let n = out.len();
        let [p_s, b_s, x_s] = s.map(|values| &values[..n]);
        let [p_t, b_t, x_t] = t.map(|values| &values[..n]);
        for i in 0..n {
            let twice = A::multiply(p_s[i], A::add(b_t[i], b_t[i]));
            let flipped = A::subtract(x_t[i], A::add(p_t[i], p_t[i]));
            let sum = A::add(A::multiply(b_s[i], flipped), A::multiply(x_s[i], b_t[i]));
            out[i] = A::subtract(sum, twice);
        }
        if with_one {
            for (out, p) in out.iter_mut().zip(p_s) {
                *out = A::add(*out, *p);
            }
        }
    }
}

/// The term of a bit times a number: p_s (1 - 2 b_t) + b_s (x_t - 2 p_t) + x_s b_t.
///
/// `s` and `t` are shares of (product, bit, number) of the two summands; the 1 is counted with
/// `with_one` alone.
///
/// # Errors
/// If the lengths differ.
pub fn joint_inject<A: Algebra>(
    algebra: A,
    s: [&[A::Element]; 3],
    t: [&[A::Element]; 3],
    with_one: bool,
    out: &mut [A::Element],
) -> Result<(), Mismatch> {
    if s.iter().chain(&t).any(|values| values.len() != out.len()) {
        return Err(Mismatch("arrays differ in length"));
    }
    injected(algebra, s, t, with_one, out);
    Ok(())
}
