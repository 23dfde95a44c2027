//! Bit times value, and bit to integer, for packed bits b = beta ^ q; roles A, B, C.
//!
//! A knows beta and s = x_j + x_{j+1}; B and C know q and t = x_{j+2}. A shares beta·s and beta
//! between B (a stream) and C (a message); shares of beta·x = beta·s + beta·t follow locally.
//! A function of two bits is linear in 1, alpha, beta and alpha·beta, with coefficients that B
//! and C know.

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

multiversion! {
    fn pair_values(a: [&[u64]; 2], b: [&[u64]; 2], masks: [Stream<'_>; 3],
                   alphas: &mut [u64], betas: &mut [u64], products: &mut [u64]) {
        masks[0].read(0, alphas);
        masks[1].read(0, betas);
        masks[2].read(0, products);
        let words = a[0].iter().zip(a[1]).zip(b[0].iter().zip(b[1]));
        let words = words.map(|((a0, a1), (b0, b1))| (a0 ^ a1, b0 ^ b1));
        let chunks = alphas.chunks_mut(64).zip(betas.chunks_mut(64)).zip(products.chunks_mut(64));
        for ((alpha, beta), ((alphas, betas), products)) in words.zip(chunks) {
            let values = alphas.iter_mut().zip(betas).zip(products);
            for (i, ((a, b), product)) in values.enumerate() {
                let (x, y) = ((alpha >> i) & 1, (beta >> i) & 1);
                *a = x.wrapping_sub(*a);
                *b = y.wrapping_sub(*b);
                *product = (x & y).wrapping_sub(*product);
            }
        }
    }
}

multiversion! {
    fn pair_combine(role: Role, pq: [&[u64]; 2], message: [Message<'_>; 3], key: &StreamKey,
                    nonce: u64, tables: &[[u64; 4]], out: &mut [u64], y: &mut [u64]) {
        let mut scratch = [[0; CHUNK]; 5];
        let n = out.len() / tables.len();
        let constant = match role {
            Role::B => 0,
            Role::C => u64::MAX,
        };
        for from in (0..n).step_by(CHUNK) {
            let len = CHUNK.min(n - from);
            let [m_a, m_b, m_ab, p, q] = scratch.each_mut().map(|values| &mut values[..len]);
            let m_a = message[0].get(from, m_a);
            let m_b = message[1].get(from, m_b);
            let m_ab = message[2].get(from, m_ab);
            let [p_words, q_words] = pq.map(|w| &w[from / 64..(from + len).div_ceil(64)]);
            spread(p_words.iter().copied(), p);
            spread(q_words.iter().copied(), q);
            for (o, table) in tables.iter().enumerate() {
                let [e_0, e_1, e_2, e_3] = coefficients(table);
                let part = o * n + from..o * n + from + len;
                let (out, y) = (&mut out[part.clone()], &mut y[part]);
                Stream::new(key, nonce, lane_of_output(o)).read(from, y);
                for i in 0..len {
                    let (p, q) = (p[i], q[i]);
                    // (v ^ p) - p is v, or -v where p is set.
                    let c_1 = (e_1.wrapping_add(e_3 & q) ^ p).wrapping_sub(p);
                    let c_2 = (e_2.wrapping_add(e_3 & p) ^ q).wrapping_sub(q);
                    let c_3 = (e_3 ^ (p ^ q)).wrapping_sub(p ^ q);
                    let c_0 = e_0.wrapping_add(e_1 & p).wrapping_add(e_2 & q);
                    let c_0 = c_0.wrapping_add(e_3 & p & q) & constant;
                    let v = c_1.wrapping_mul(m_a[i]).wrapping_add(c_2.wrapping_mul(m_b[i]));
                    let v = v.wrapping_add(c_3.wrapping_mul(m_ab[i])).wrapping_add(c_0);
                    out[i] = v.wrapping_sub(y[i]);
                }
            }
        }
    }
}

/// A table of a + 2b as coefficients of 1, a, b and ab.
#[inline(always)]
fn coefficients(table: &[u64; 4]) -> [u64; 4] {
    let [f_0, f_1, f_2, f_3] = *table;
    let (e_1, e_2) = (f_1.wrapping_sub(f_0), f_2.wrapping_sub(f_0));
    [f_0, e_1, e_2, f_3.wrapping_sub(f_0).wrapping_sub(e_1).wrapping_sub(e_2)]
}

/// The first three lanes mask what A sends; every output has one of its own behind them.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
fn lane_of_output(output: usize) -> u16 {
    3 + output as u16
}

/// Outputs of one lookup, at most.
pub const MOST_OUTPUTS: usize = 8;

/// A: share the bits alpha, beta and their products, and A's shares of the results.
///
/// `outputs` are the message (3n values), y_own and y_next (n values a result, of which there
/// are up to [`MOST_OUTPUTS`]); `keys` those with C and with B.
///
/// # Errors
/// If lengths differ.
pub fn lookup_send(
    a: [&[u64]; 2],
    b: [&[u64]; 2],
    keys: [&StreamKey; 2],
    nonce: u64,
    [message, y_own, y_next]: [&mut [u64]; 3],
) -> Result<(), Mismatch> {
    let n = message.len() / 3;
    same_length(3 * n, [message.len()])?;
    same_length(n.div_ceil(64), [a[0].len(), a[1].len(), b[0].len(), b[1].len()])?;
    same_length(y_own.len(), [y_next.len()])?;
    if n == 0 {
        return same_length(0, [y_own.len()]);
    }
    let count = y_own.len() / n;
    same_length(count * n, [y_own.len()])?;
    check_outputs(count)?;
    let [key_ca, key_ab] = keys;
    let (alphas, rest) = message.split_at_mut(n);
    let (betas, products) = rest.split_at_mut(n);
    let masks = [0, 1, 2].map(|lane| Stream::new(key_ab, nonce, lane));
    pair_values(a, b, masks, alphas, betas, products);
    for (o, (own, next)) in y_own.chunks_mut(n).zip(y_next.chunks_mut(n)).enumerate() {
        Stream::new(key_ca, nonce, lane_of_output(o)).read(0, own);
        Stream::new(key_ab, nonce, lane_of_output(o)).read(0, next);
    }
    Ok(())
}

fn check_outputs(count: usize) -> Result<(), Mismatch> {
    match count {
        1..=MOST_OUTPUTS => Ok(()),
        _ => Err(Mismatch("a lookup has 1 to 8 tables")),
    }
}

/// B and C: the additive shares of the tables' values at a + 2b minus the masks `y`, which
/// become shares of the results; a = alpha ^ p, b = beta ^ q.
///
/// `message` is what A sent (C) or None (B); `key` is the one shared with A; `tables` four values
/// for each result.
///
/// # Errors
/// If lengths differ, or the message does not go with the role.
#[allow(clippy::too_many_arguments)]
pub fn lookup_combine(
    role: Role,
    pq: [&[u64]; 2],
    message: Option<&[u64]>,
    tables: &[u64],
    key: &StreamKey,
    nonce: u64,
    out: &mut [u64],
    y: &mut [u64],
) -> Result<(), Mismatch> {
    let (tables, rest) = tables.as_chunks::<4>();
    same_length(0, [rest.len()])?;
    check_outputs(tables.len())?;
    let n = out.len() / tables.len();
    same_length(n * tables.len(), [out.len(), y.len()])?;
    same_length(n.div_ceil(64), [pq[0].len(), pq[1].len()])?;
    let message = match (role, message) {
        (Role::B, None) => [0, 1, 2].map(|lane| Message::Made(Stream::new(key, nonce, lane))),
        (Role::C, Some(values)) => {
            same_length(3 * n, [values.len()])?;
            let (m_a, rest) = values.split_at(n);
            let (m_b, m_ab) = rest.split_at(n);
            [m_a, m_b, m_ab].map(Message::Received)
        }
        _ => return Err(Mismatch("role C has a message and role B has none")),
    };
    pair_combine(role, pq, message, key, nonce, tables, out, y);
    Ok(())
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
