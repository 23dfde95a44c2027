//! Products of replicated shares element by element, over Z_2^64 and over packed bits.

use crate::path::multiversion;
use crate::stream::{Stream, StreamKey};
use crate::{CHUNK, Mismatch, same_length};

/// One party's shares of the two factors, each `[own, next]`.
type Pairs<'a> = [[&'a [u64]; 2]; 2];

/// The local terms of x·y: `x_own y_own + x_own y_next + x_next y_own`.
#[inline(always)]
pub(crate) fn local_product(x: [u64; 2], y: [u64; 2]) -> u64 {
    x[0].wrapping_mul(y[0].wrapping_add(y[1])).wrapping_add(x[1].wrapping_mul(y[0]))
}

/// The local terms of x & y on packed bits.
#[inline(always)]
pub(crate) fn local_and(x: [u64; 2], y: [u64; 2]) -> u64 {
    (x[0] & (y[0] ^ y[1])) ^ (x[1] & y[0])
}

multiversion! {
    fn zip_add(a: &[u64], b: &[u64], out: &mut [u64]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a.wrapping_add(*b);
        }
    }
}

multiversion! {
    fn zip_xor(a: &[u64], b: &[u64], out: &mut [u64]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a ^ b;
        }
    }
}

multiversion! {
    fn combine(terms: &[(u64, &[u64])], constant: u64, out: &mut [u64]) {
        for (c, out) in out.chunks_mut(CHUNK).enumerate() {
            let (from, n) = (c * CHUNK, out.len());
            let mut terms = terms;
            match terms {
                [(factor, x), (factor_2, y), rest @ ..] => {
                    let pairs = x[from..from + n].iter().zip(&y[from..from + n]);
                    for (out, (x, y)) in out.iter_mut().zip(pairs) {
                        let sum = factor.wrapping_mul(*x).wrapping_add(factor_2.wrapping_mul(*y));
                        *out = sum.wrapping_add(constant);
                    }
                    terms = rest;
                }
                _ => out.fill(constant),
            }
            for (factor, x) in terms {
                for (out, x) in out.iter_mut().zip(&x[from..from + n]) {
                    *out = out.wrapping_add(factor.wrapping_mul(*x));
                }
            }
        }
    }
}

multiversion! {
    fn products(pairs: Pairs<'_>, accumulate: bool, out: &mut [u64]) {
        let n = out.len();
        let [[x0, x1], [y0, y1]] = pairs.map(|pair| pair.map(|share| &share[..n]));
        if accumulate {
            for i in 0..n {
                out[i] = out[i].wrapping_add(local_product([x0[i], x1[i]], [y0[i], y1[i]]));
            }
        } else {
            for i in 0..n {
                out[i] = local_product([x0[i], x1[i]], [y0[i], y1[i]]);
            }
        }
    }
}

multiversion! {
    fn masked_products(pairs: Pairs<'_>, streams: [Stream<'_>; 2], out: &mut [u64]) {
        let (mut f, mut g) = ([0; CHUNK], [0; CHUNK]);
        for (c, out) in out.chunks_mut(CHUNK).enumerate() {
            let (from, n) = (c * CHUNK, out.len());
            let (f, g) = (&mut f[..n], &mut g[..n]);
            streams[0].read(from, f);
            streams[1].read(from, g);
            let [[x0, x1], [y0, y1]] = pairs.map(|pair| pair.map(|share| &share[from..from + n]));
            for i in 0..n {
                let z = local_product([x0[i], x1[i]], [y0[i], y1[i]]);
                out[i] = z.wrapping_add(f[i]).wrapping_sub(g[i]);
            }
        }
    }
}

multiversion! {
    fn masked_ands(pairs: Pairs<'_>, streams: [Stream<'_>; 2], out: &mut [u64]) {
        let (mut f, mut g) = ([0; CHUNK], [0; CHUNK]);
        for (c, out) in out.chunks_mut(CHUNK).enumerate() {
            let (from, n) = (c * CHUNK, out.len());
            let (f, g) = (&mut f[..n], &mut g[..n]);
            streams[0].read(from, f);
            streams[1].read(from, g);
            let [[x0, x1], [y0, y1]] = pairs.map(|pair| pair.map(|share| &share[from..from + n]));
            for i in 0..n {
                out[i] = local_and([x0[i], x1[i]], [y0[i], y1[i]]) ^ f[i] ^ g[i];
            }
        }
    }
}

multiversion! {
    fn add_masks(streams: [Stream<'_>; 2], z: &mut [u64]) {
        let (mut f, mut g) = ([0; CHUNK], [0; CHUNK]);
        for (c, z) in z.chunks_mut(CHUNK).enumerate() {
            let (f, g) = (&mut f[..z.len()], &mut g[..z.len()]);
            streams[0].read(c * CHUNK, f);
            streams[1].read(c * CHUNK, g);
            for ((z, f), g) in z.iter_mut().zip(&*f).zip(&*g) {
                *z = z.wrapping_add(*f).wrapping_sub(*g);
            }
        }
    }
}

multiversion! {
    fn xor_masks(streams: [Stream<'_>; 2], z: &mut [u64]) {
        let (mut f, mut g) = ([0; CHUNK], [0; CHUNK]);
        for (c, z) in z.chunks_mut(CHUNK).enumerate() {
            let (f, g) = (&mut f[..z.len()], &mut g[..z.len()]);
            streams[0].read(c * CHUNK, f);
            streams[1].read(c * CHUNK, g);
            for ((z, f), g) in z.iter_mut().zip(&*f).zip(&*g) {
                *z ^= f ^ g;
            }
        }
    }
}

fn lengths(pairs: Pairs<'_>, n: usize) -> Result<(), Mismatch> {
    let [[x0, x1], [y0, y1]] = pairs;
    same_length(n, [x0.len(), x1.len(), y0.len(), y1.len()])
}

/// `out = a + b`.
///
/// # Errors
/// If the lengths differ.
pub fn add(a: &[u64], b: &[u64], out: &mut [u64]) -> Result<(), Mismatch> {
    same_length(out.len(), [a.len(), b.len()])?;
    zip_add(a, b, out);
    Ok(())
}

/// `out = a ^ b`.
///
/// # Errors
/// If the lengths differ.
pub fn xor(a: &[u64], b: &[u64], out: &mut [u64]) -> Result<(), Mismatch> {
    same_length(out.len(), [a.len(), b.len()])?;
    zip_xor(a, b, out);
    Ok(())
}

/// `out = Σ factor x + constant` over the terms, any number of them.
///
/// # Errors
/// If the lengths differ.
pub fn linear_combination(
    terms: &[(u64, &[u64])],
    constant: u64,
    out: &mut [u64],
) -> Result<(), Mismatch> {
    if terms.iter().any(|(_, x)| x.len() != out.len()) {
        return Err(Mismatch("arrays differ in length"));
    }
    combine(terms, constant, out);
    Ok(())
}

/// The local terms of x·y for `[[x_own, x_next], [y_own, y_next]]`, or `out` plus these.
///
/// # Errors
/// If the lengths differ.
pub fn cross_terms(
    pairs: [[&[u64]; 2]; 2],
    accumulate: bool,
    out: &mut [u64],
) -> Result<(), Mismatch> {
    lengths(pairs, out.len())?;
    products(pairs, accumulate, out);
    Ok(())
}

/// The local terms of x·y plus F(own) - F(next).
///
/// # Errors
/// If the lengths differ.
pub fn multiply_share(
    pairs: [[&[u64]; 2]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    lane: u16,
    out: &mut [u64],
) -> Result<(), Mismatch> {
    lengths(pairs, out.len())?;
    masked_products(pairs, keys.map(|key| Stream::new(key, nonce, lane)), out);
    Ok(())
}

/// The local terms of x & y on packed bits, ^ F(own) ^ F(next).
///
/// # Errors
/// If the lengths differ.
pub fn and_share(
    pairs: [[&[u64]; 2]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    lane: u16,
    out: &mut [u64],
) -> Result<(), Mismatch> {
    lengths(pairs, out.len())?;
    masked_ands(pairs, keys.map(|key| Stream::new(key, nonce, lane)), out);
    Ok(())
}

/// `z += F(own) - F(next)`.
pub fn add_zero_share(z: &mut [u64], keys: [&StreamKey; 2], nonce: u64, lane: u16) {
    add_masks(keys.map(|key| Stream::new(key, nonce, lane)), z);
}

/// `z ^= F(own) ^ F(next)`.
pub fn xor_zero_share(z: &mut [u64], keys: [&StreamKey; 2], nonce: u64, lane: u16) {
    xor_masks(keys.map(|key| Stream::new(key, nonce, lane)), z);
}
