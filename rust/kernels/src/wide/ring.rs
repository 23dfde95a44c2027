//! Element-by-element arithmetic, sums and products of replicated shares.

use super::{CHUNK, Wide, element, number, shift};
use crate::stream::{Stream, StreamKey};
use crate::{Mismatch, same_length};

/// One party's shares of the two factors, each `[own, next]`.
type Pairs<'a> = [[&'a [Wide]; 2]; 2];

/// An operation on two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// a + b.
    Add,
    /// a - b.
    Subtract,
    /// a · b.
    Multiply,
}

/// `out = a ∘ b`; either may have a single element, which then stands for all.
///
/// # Errors
/// If the lengths do not fit.
pub fn combine(
    operation: Operation,
    a: &[Wide],
    b: &[Wide],
    out: &mut [Wide],
) -> Result<(), Mismatch> {
    let n = out.len();
    if (a.len() != n && a.len() != 1) || (b.len() != n && b.len() != 1) {
        return Err(Mismatch("arrays differ in length"));
    }
    match operation {
        Operation::Add => zip(a, b, out, u128::wrapping_add),
        Operation::Subtract => zip(a, b, out, u128::wrapping_sub),
        Operation::Multiply => zip(a, b, out, u128::wrapping_mul),
    }
    Ok(())
}

#[inline(always)]
fn zip(a: &[Wide], b: &[Wide], out: &mut [Wide], f: impl Fn(u128, u128) -> u128) {
    let n = out.len();
    if a.len() == n && b.len() == n {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = element(f(number(*a), number(*b)));
        }
    } else if a.len() == n {
        let b = number(b[0]);
        for (out, a) in out.iter_mut().zip(a) {
            *out = element(f(number(*a), b));
        }
    } else {
        let a = number(a[0]);
        for (i, out) in out.iter_mut().enumerate() {
            *out = element(f(a, number(b[if b.len() == 1 { 0 } else { i }])));
        }
    }
}

fn check_shift(a: &[Wide], bits: u32, out: &[Wide]) -> Result<(), Mismatch> {
    same_length(out.len(), [a.len()])?;
    if bits < 128 { Ok(()) } else { Err(Mismatch("a shift must be below 128")) }
}

/// `out = a 2^bits`.
///
/// # Errors
/// If the lengths differ, or the shift is 128 or more.
pub fn shift_left(a: &[Wide], bits: u32, out: &mut [Wide]) -> Result<(), Mismatch> {
    check_shift(a, bits, out)?;
    for (out, a) in out.iter_mut().zip(a) {
        *out = element(number(*a) << bits);
    }
    Ok(())
}

/// `out = floor(a / 2^bits)` for signed numbers.
///
/// # Errors
/// If the lengths differ, or the shift is 128 or more.
pub fn shift_right(a: &[Wide], bits: u32, out: &mut [Wide]) -> Result<(), Mismatch> {
    check_shift(a, bits, out)?;
    for (out, a) in out.iter_mut().zip(a) {
        *out = element(shift(number(*a), bits));
    }
    Ok(())
}

/// Sums over the middle axis of `a` (outer, n, inner); `out` is (outer, inner).
///
/// # Errors
/// If the lengths do not fit.
pub fn sums(a: &[Wide], n: usize, inner: usize, out: &mut [Wide]) -> Result<(), Mismatch> {
    out.fill([0; 2]);
    if a.is_empty() && (n == 0 || out.is_empty()) {
        return Ok(());
    }
    if inner == 0 || n == 0 || a.len() != out.len() * n || !out.len().is_multiple_of(inner) {
        return Err(Mismatch("the sums do not fit the array"));
    }
    for (out, block) in out.chunks_exact_mut(inner).zip(a.chunks_exact(n * inner)) {
        if let [out] = out {
            let sum = block.iter().fold(0u128, |sum, a| sum.wrapping_add(number(*a)));
            *out = element(sum);
            continue;
        }
        for row in block.chunks_exact(inner) {
            for (out, a) in out.iter_mut().zip(row) {
                *out = element(number(*out).wrapping_add(number(*a)));
            }
        }
    }
    Ok(())
}

/// Sums so far along the middle axis of (outer, n, inner), in place.
///
/// # Errors
/// If the sizes do not fit.
pub fn cumulative_sums(a: &mut [Wide], n: usize, inner: usize) -> Result<(), Mismatch> {
    if a.is_empty() {
        return Ok(());
    }
    let size = n.checked_mul(inner).filter(|size| *size > 0 && a.len().is_multiple_of(*size));
    let Some(size) = size else {
        return Err(Mismatch("the axis does not fit the array"));
    };
    for block in a.chunks_exact_mut(size) {
        for i in inner..size {
            block[i] = element(number(block[i]).wrapping_add(number(block[i - inner])));
        }
    }
    Ok(())
}

/// Whole numbers below 2^127 in magnitude as elements, exactly; others saturate.
///
/// # Errors
/// If the lengths differ.
#[allow(clippy::cast_possible_truncation)]
pub fn from_floats(values: &[f64], out: &mut [Wide]) -> Result<(), Mismatch> {
    same_length(out.len(), [values.len()])?;
    for (out, value) in out.iter_mut().zip(values) {
        *out = element((*value as i128).cast_unsigned());
    }
    Ok(())
}

/// Elements as signed numbers, rounded to the nearest.
///
/// # Errors
/// If the lengths differ.
#[allow(clippy::cast_precision_loss)]
pub fn to_floats(a: &[Wide], out: &mut [f64]) -> Result<(), Mismatch> {
    same_length(out.len(), [a.len()])?;
    for (out, a) in out.iter_mut().zip(a) {
        *out = number(*a).cast_signed() as f64;
    }
    Ok(())
}

/// The local terms of x·y: `x_own y_own + x_own y_next + x_next y_own`.
#[inline(always)]
pub(super) fn local_product(x: [u128; 2], y: [u128; 2]) -> u128 {
    x[0].wrapping_mul(y[0].wrapping_add(y[1])).wrapping_add(x[1].wrapping_mul(y[0]))
}

/// Element i of the local terms.
#[inline(always)]
pub(super) fn product_at(pairs: Pairs<'_>, i: usize) -> u128 {
    let [x, y] = pairs.map(|pair| pair.map(|share| number(share[i])));
    local_product(x, y)
}

fn lengths(pairs: Pairs<'_>, n: usize) -> Result<(), Mismatch> {
    let [[x0, x1], [y0, y1]] = pairs;
    same_length(n, [x0.len(), x1.len(), y0.len(), y1.len()])
}

/// The local terms of x·y for `[[x_own, x_next], [y_own, y_next]]`.
///
/// # Errors
/// If the lengths differ.
pub fn cross_terms(pairs: [[&[Wide]; 2]; 2], out: &mut [Wide]) -> Result<(), Mismatch> {
    let n = out.len();
    lengths(pairs, n)?;
    let pairs = pairs.map(|pair| pair.map(|share| &share[..n]));
    for (i, out) in out.iter_mut().enumerate() {
        *out = element(product_at(pairs, i));
    }
    Ok(())
}

/// The local terms of x·y plus F(own) - F(next).
///
/// # Errors
/// If the lengths differ.
pub fn multiply_share(
    pairs: [[&[Wide]; 2]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    lane: u16,
    out: &mut [Wide],
) -> Result<(), Mismatch> {
    cross_terms(pairs, out)?;
    add_zero_share(out, keys, nonce, lane);
    Ok(())
}

/// `z += F(own) - F(next)`.
pub fn add_zero_share(z: &mut [Wide], keys: [&StreamKey; 2], nonce: u64, lane: u16) {
    let streams = keys.map(|key| Stream::new(key, nonce, lane));
    let (mut f, mut g) = ([[0; 2]; CHUNK], [[0; 2]; CHUNK]);
    for (c, z) in z.chunks_mut(CHUNK).enumerate() {
        let (f, g) = (&mut f[..z.len()], &mut g[..z.len()]);
        streams[0].read(c * CHUNK, f);
        streams[1].read(c * CHUNK, g);
        for ((z, f), g) in z.iter_mut().zip(&*f).zip(&*g) {
            *z = element(number(*z).wrapping_add(number(*f)).wrapping_sub(number(*g)));
        }
    }
}
