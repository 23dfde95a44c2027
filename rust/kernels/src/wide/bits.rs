//! Bit times value, and bit to integer, over Z_2^128; see `crate::bits` for the roles.

use super::{Wide, element, number};
use crate::stream::{Stream, StreamKey};
use crate::truncation::Role;
use crate::{Mismatch, same_length};

/// Bit i of packed bits.
#[inline(always)]
fn bit(words: &[u64], i: usize) -> u128 {
    u128::from((words[i / 64] >> (i % 64)) & 1)
}

/// All ones for a set bit and zero for a clear one.
#[inline(always)]
fn spread(bit: u128) -> u128 {
    0u128.wrapping_sub(bit)
}

/// A: share beta·s and beta between B and C, and A's shares of the result.
///
/// `outputs` are the message (2n values), y_own and y_next; `keys` those with C and with B.
///
/// # Errors
/// If lengths differ.
pub fn inject_send(
    x: [&[Wide]; 2],
    b: [&[u64]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    [message, y_own, y_next]: [&mut [Wide]; 3],
) -> Result<(), Mismatch> {
    let n = x[0].len();
    same_length(n, [x[1].len(), y_own.len(), y_next.len()])?;
    same_length(n.div_ceil(64), [b[0].len(), b[1].len()])?;
    same_length(2 * n, [message.len()])?;
    let [key_ca, key_ab] = keys;
    let (products, bits) = message.split_at_mut(n);
    Stream::new(key_ab, nonce, 0).read(0, products);
    Stream::new(key_ab, nonce, 1).read(0, bits);
    for (i, (product, value)) in products.iter_mut().zip(bits).enumerate() {
        let beta = bit(b[0], i) ^ bit(b[1], i);
        let s = number(x[0][i]).wrapping_add(number(x[1][i]));
        *product = element((spread(beta) & s).wrapping_sub(number(*product)));
        *value = element(beta.wrapping_sub(number(*value)));
    }
    Stream::new(key_ca, nonce, 2).read(0, y_own);
    Stream::new(key_ab, nonce, 2).read(0, y_next);
    Ok(())
}

/// B and C: the additive share of b·x minus the mask `y`, which becomes a share of the result.
///
/// `message` is what A sent (C) or None (B); `key` is the one shared with A.
///
/// # Errors
/// If lengths differ, or the message does not go with the role.
#[allow(clippy::too_many_arguments)]
pub fn inject_combine(
    role: Role,
    t: &[Wide],
    x_side: &[Wide],
    q: &[u64],
    message: Option<&[Wide]>,
    key: &StreamKey,
    nonce: u64,
    out: &mut [Wide],
    y: &mut [Wide],
) -> Result<(), Mismatch> {
    let n = out.len();
    same_length(n, [t.len(), x_side.len(), y.len()])?;
    same_length(n.div_ceil(64), [q.len()])?;
    // The parts M_0 in `out` and M_1 in `y`, before they are written over.
    match (role, message) {
        (Role::B, None) => {
            Stream::new(key, nonce, 0).read(0, out);
            Stream::new(key, nonce, 1).read(0, y);
        }
        (Role::C, Some(values)) => {
            same_length(2 * n, [values.len()])?;
            let (m_0, m_1) = values.split_at(n);
            out.copy_from_slice(m_0);
            y.copy_from_slice(m_1);
        }
        _ => return Err(Mismatch("role C has a message and role B has none")),
    }
    for i in 0..n {
        let t = number(t[i]);
        let v = number(out[i]).wrapping_add(number(y[i]).wrapping_mul(t));
        let side = match role {
            Role::B => number(x_side[i]).wrapping_add(t),
            Role::C => number(x_side[i]),
        };
        // v, or side - v where q is set: (v ^ q) - q is ±v.
        let q = spread(bit(q, i));
        out[i] = element((v ^ q).wrapping_sub(q).wrapping_add(side & q));
    }
    subtract_mask(Stream::new(key, nonce, 2), out, y);
    Ok(())
}

/// A: share the bits beta as integers, and A's shares of the result.
///
/// `outputs` are the message, y_own and y_next; `keys` those with C and with B.
///
/// # Errors
/// If lengths differ.
pub fn bits_send(
    b: [&[u64]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    [message, y_own, y_next]: [&mut [Wide]; 3],
) -> Result<(), Mismatch> {
    let n = message.len();
    same_length(n, [y_own.len(), y_next.len()])?;
    same_length(n.div_ceil(64), [b[0].len(), b[1].len()])?;
    let [key_ca, key_ab] = keys;
    Stream::new(key_ab, nonce, 0).read(0, message);
    for (i, value) in message.iter_mut().enumerate() {
        let beta = bit(b[0], i) ^ bit(b[1], i);
        *value = element(beta.wrapping_sub(number(*value)));
    }
    Stream::new(key_ca, nonce, 1).read(0, y_own);
    Stream::new(key_ab, nonce, 1).read(0, y_next);
    Ok(())
}

/// B and C: the additive share of b as an integer minus the mask `y`.
///
/// # Errors
/// If lengths differ, or the message does not go with the role.
pub fn bits_combine(
    role: Role,
    q: &[u64],
    message: Option<&[Wide]>,
    key: &StreamKey,
    nonce: u64,
    out: &mut [Wide],
    y: &mut [Wide],
) -> Result<(), Mismatch> {
    let n = out.len();
    same_length(n, [y.len()])?;
    same_length(n.div_ceil(64), [q.len()])?;
    match (role, message) {
        (Role::B, None) => Stream::new(key, nonce, 0).read(0, out),
        (Role::C, Some(values)) => {
            same_length(n, [values.len()])?;
            out.copy_from_slice(values);
        }
        _ => return Err(Mismatch("role C has a message and role B has none")),
    }
    let constant = match role {
        Role::B => 0,
        Role::C => 1,
    };
    for (i, out) in out.iter_mut().enumerate() {
        let q = spread(bit(q, i));
        let v = (number(*out) ^ q).wrapping_sub(q);
        *out = element(v.wrapping_add(q & constant));
    }
    subtract_mask(Stream::new(key, nonce, 1), out, y);
    Ok(())
}

/// `y` becomes the mask, which is taken off `out`.
fn subtract_mask(mask: Stream<'_>, out: &mut [Wide], y: &mut [Wide]) {
    mask.read(0, y);
    for (out, y) in out.iter_mut().zip(&*y) {
        *out = element(number(*out).wrapping_sub(number(*y)));
    }
}
