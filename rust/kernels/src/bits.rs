//! Bit times value, and bit to integer, for packed bits b = beta ^ q; roles A, B, C.
//!
//! A knows beta and s = x_j + x_{j+1}; B and C know q and t = x_{j+2}. A shares beta·s and beta
//! between B (a stream) and C (a message); shares of beta·x = beta·s + beta·t follow locally.

use crate::path::multiversion;
use crate::stream::{Stream, StreamKey};
use crate::truncation::Role;
use crate::{CHUNK, Mismatch, same_length};

/// Write all ones for a set bit and zero for a clear one.
#[inline(always)]
fn spread(words: impl Iterator<Item = u64>, out: &mut [u64]) {
    for (word, out) in words.zip(out.chunks_mut(64)) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = 0u64.wrapping_sub((word >> i) & 1);
        }
    }
}

multiversion! {
    fn send(x: [&[u64]; 2], b: [&[u64]; 2], masks: [Stream<'_>; 2],
            products: &mut [u64], bits: &mut [u64]) {
        let mut beta = [0; CHUNK];
        let chunks = products.chunks_mut(CHUNK).zip(bits.chunks_mut(CHUNK));
        for (c, (products, bits)) in chunks.enumerate() {
            let (from, n) = (c * CHUNK, products.len());
            let ([x0, x1], beta) = (x.map(|x| &x[from..from + n]), &mut beta[..n]);
            let [b0, b1] = b.map(|b| &b[from / 64..(from + n).div_ceil(64)]);
            spread(b0.iter().zip(b1).map(|(b0, b1)| b0 ^ b1), beta);
            masks[0].read(from, products);
            masks[1].read(from, bits);
            let bits = &mut bits[..n];
            for i in 0..n {
                let s = x0[i].wrapping_add(x1[i]);
                products[i] = (beta[i] & s).wrapping_sub(products[i]);
                bits[i] = (beta[i] & 1).wrapping_sub(bits[i]);
            }
        }
    }
}

multiversion! {
    fn combine(role: Role, t: &[u64], x_side: &[u64], q: &[u64], message: [Message<'_>; 2],
               mask: Stream<'_>, out: &mut [u64], y: &mut [u64]) {
        let mut scratch = [[0; CHUNK]; 3];
        for (c, (out, y)) in out.chunks_mut(CHUNK).zip(y.chunks_mut(CHUNK)).enumerate() {
            let (from, n) = (c * CHUNK, out.len());
            let [m_0, m_1, bits] = scratch.each_mut().map(|values| &mut values[..n]);
            let m_0 = message[0].get(from, m_0);
            let m_1 = message[1].get(from, m_1);
            spread(q[from / 64..(from + n).div_ceil(64)].iter().copied(), bits);
            mask.read(from, y);
            let (t, x_side, y) = (&t[from..from + n], &x_side[from..from + n], &y[..n]);
            let third = match role {
                Role::B => u64::MAX,
                Role::C => 0,
            };
            for i in 0..n {
                let v = m_0[i].wrapping_add(m_1[i].wrapping_mul(t[i]));
                let side = x_side[i].wrapping_add(t[i] & third);
                // v, or side - v where q is set: (v ^ q) - q is ±v.
                let v = (v ^ bits[i]).wrapping_sub(bits[i]).wrapping_add(side & bits[i]);
                out[i] = v.wrapping_sub(y[i]);
            }
        }
    }
}

/// A party's additive shares of what A sent: received, or made from a stream.
#[derive(Clone, Copy)]
enum Message<'a> {
    Received(&'a [u64]),
    Made(Stream<'a>),
}

impl<'a> Message<'a> {
    /// Elements `from`, `from + 1`, …; `scratch` has as many elements as are wanted.
    #[inline(always)]
    fn get<'b>(&self, from: usize, scratch: &'b mut [u64]) -> &'b [u64]
    where
        'a: 'b,
    {
        match self {
            Self::Received(values) => &values[from..from + scratch.len()],
            Self::Made(stream) => {
                stream.read(from, scratch);
                scratch
            }
        }
    }
}

multiversion! {
    fn bit_values(b: [&[u64]; 2], mask: Stream<'_>, message: &mut [u64]) {
        mask.read(0, message);
        let words = b[0].iter().zip(b[1]).map(|(b0, b1)| b0 ^ b1);
        for (word, message) in words.zip(message.chunks_mut(64)) {
            for (i, value) in message.iter_mut().enumerate() {
                *value = ((word >> i) & 1).wrapping_sub(*value);
            }
        }
    }
}

multiversion! {
    fn bit_combine(role: Role, q: &[u64], message: Message<'_>, mask: Stream<'_>,
                   out: &mut [u64], y: &mut [u64]) {
        let mut scratch = [[0; CHUNK]; 2];
        for (c, (out, y)) in out.chunks_mut(CHUNK).zip(y.chunks_mut(CHUNK)).enumerate() {
            let (from, n) = (c * CHUNK, out.len());
            let [share, bits] = scratch.each_mut().map(|values| &mut values[..n]);
            let share = message.get(from, share);
            spread(q[from / 64..(from + n).div_ceil(64)].iter().copied(), bits);
            mask.read(from, y);
            let y = &y[..n];
            let constant = match role {
                Role::B => 0,
                Role::C => 1,
            };
            for i in 0..n {
                let v = (share[i] ^ bits[i]).wrapping_sub(bits[i]);
                out[i] = v.wrapping_add(bits[i] & constant).wrapping_sub(y[i]);
            }
        }
    }
}

/// A: share beta·s and beta between B and C, and A's shares of the result.
///
/// `outputs` are the message (2n values), y_own and y_next; `keys` those with C and with B.
///
/// # Errors
/// If lengths differ.
pub fn inject_send(
    x: [&[u64]; 2],
    b: [&[u64]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    [message, y_own, y_next]: [&mut [u64]; 3],
) -> Result<(), Mismatch> {
    let n = x[0].len();
    same_length(n, [x[1].len(), y_own.len(), y_next.len()])?;
    same_length(n.div_ceil(64), [b[0].len(), b[1].len()])?;
    same_length(2 * n, [message.len()])?;
    let [key_ca, key_ab] = keys;
    let (products, bits) = message.split_at_mut(n);
    send(x, b, [0, 1].map(|lane| Stream::new(key_ab, nonce, lane)), products, bits);
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
    t: &[u64],
    x_side: &[u64],
    q: &[u64],
    message: Option<&[u64]>,
    key: &StreamKey,
    nonce: u64,
    out: &mut [u64],
    y: &mut [u64],
) -> Result<(), Mismatch> {
    let n = out.len();
    same_length(n, [t.len(), x_side.len(), y.len()])?;
    same_length(n.div_ceil(64), [q.len()])?;
    let message = match (role, message) {
        (Role::B, None) => [0, 1].map(|lane| Message::Made(Stream::new(key, nonce, lane))),
        (Role::C, Some(values)) => {
            same_length(2 * n, [values.len()])?;
            let (m_0, m_1) = values.split_at(n);
            [Message::Received(m_0), Message::Received(m_1)]
        }
        _ => return Err(Mismatch("role C has a message and role B has none")),
    };
    combine(role, t, x_side, q, message, Stream::new(key, nonce, 2), out, y);
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
    [message, y_own, y_next]: [&mut [u64]; 3],
) -> Result<(), Mismatch> {
    let n = message.len();
    same_length(n, [y_own.len(), y_next.len()])?;
    same_length(n.div_ceil(64), [b[0].len(), b[1].len()])?;
    let [key_ca, key_ab] = keys;
    bit_values(b, Stream::new(key_ab, nonce, 0), message);
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
    message: Option<&[u64]>,
    key: &StreamKey,
    nonce: u64,
    out: &mut [u64],
    y: &mut [u64],
) -> Result<(), Mismatch> {
    let n = out.len();
    same_length(n, [y.len()])?;
    same_length(n.div_ceil(64), [q.len()])?;
    let message = match (role, message) {
        (Role::B, None) => Message::Made(Stream::new(key, nonce, 0)),
        (Role::C, Some(values)) => {
            same_length(n, [values.len()])?;
            Message::Received(values)
        }
        _ => return Err(Mismatch("role C has a message and role B has none")),
    };
    bit_combine(role, q, message, Stream::new(key, nonce, 1), out, y);
    Ok(())
}
