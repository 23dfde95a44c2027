//! Product with truncation by m bits over Z_2^128; see `crate::truncation` for the steps.

use bytemuck::Pod;

use super::ring::product_at;
use super::{CHUNK, Wide, element, number, shift};
use crate::stream::{Stream, StreamKey};
use crate::truncation::{C1, R, Role, S, U1, W0, W1};
use crate::{Mismatch, same_length};

/// What is truncated: x·y for shares `[own, next]`, or a local product computed before.
#[derive(Clone, Copy)]
pub enum Factors<'a> {
    /// `[[x_own, x_next], [y_own, y_next]]`.
    Shares([[&'a [Wide]; 2]; 2]),
    /// The party's additive share of the product.
    Product(&'a [Wide]),
}

impl Factors<'_> {
    fn check(&self, n: usize) -> Result<(), Mismatch> {
        match self {
            Self::Product(z) => same_length(n, [z.len()]),
            Self::Shares([x, y]) => same_length(n, [x[0], x[1], y[0], y[1]].map(<[Wide]>::len)),
        }
    }

    /// Element i of the local product.
    #[inline(always)]
    fn at(&self, i: usize) -> u128 {
        match self {
            Self::Product(z) => number(z[i]),
            Self::Shares(pairs) => product_at(*pairs, i),
        }
    }
}

/// A type that holds the m low bits of the carry.
pub trait Field: Pod {
    /// The value in the low bits of a number.
    fn value(self) -> u128;
    /// The low bits of a number.
    fn low(number: u128) -> Self;
}

macro_rules! field {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline(always)]
            fn value(self) -> u128 {
                u128::from(self)
            }
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation)]
            fn low(number: u128) -> Self {
                number as Self
            }
        }
    )*};
}
field!(u16, u32, u64);

impl Field for Wide {
    #[inline(always)]
    fn value(self) -> u128 {
        number(self)
    }
    #[inline(always)]
    fn low(number: u128) -> Self {
        element(number)
    }
}

fn check_bits<F: Field>(m: u32) -> Result<(), Mismatch> {
    if !(1..=126).contains(&m) {
        Err(Mismatch("m must be between 1 and 126"))
    } else if (m as usize) > 8 * size_of::<F>() {
        Err(Mismatch("the field is narrower than m bits"))
    } else {
        Ok(())
    }
}

/// `u r_top - w`: the top bit selects, as a mask.
#[inline(always)]
fn carry<F: Field>(u: F, r: Wide, w: F) -> F {
    F::low((u.value() & shift(number(r), 127)).wrapping_sub(w.value()))
}

/// Step 1, B and C: mask the local product for A and keep the shifted mask.
///
/// # Errors
/// If lengths differ or m is not in 1..=126.
pub fn truncation_mask(
    role: Role,
    factors: Factors<'_>,
    key_bc: &StreamKey,
    nonce: u64,
    m: u32,
    message: &mut [Wide],
    r_share: &mut [Wide],
) -> Result<(), Mismatch> {
    check_bits::<Wide>(m)?;
    factors.check(message.len())?;
    same_length(message.len(), [r_share.len()])?;
    let [s, r] = [S, R].map(|lane| Stream::new(key_bc, nonce, lane));
    s.read(0, message);
    r.read(0, r_share);
    for (i, (message, r_share)) in message.iter_mut().zip(r_share).enumerate() {
        let (z, s, r) = (factors.at(i), number(*message), number(*r_share));
        *message = element(match role {
            Role::B => z.wrapping_sub(s),
            Role::C => z.wrapping_add(s).wrapping_sub(r),
        });
        *r_share = element(shift(r, m));
    }
    Ok(())
}

/// Step 2, A: open c, share c >> m and the top bit of c. `keys` are those with B and with C.
///
/// # Errors
/// If lengths differ, m is not in 1..=126 or the field is narrower than m bits.
#[allow(clippy::too_many_arguments)]
pub fn truncation_open<F: Field>(
    factors: Factors<'_>,
    from_b: &[Wide],
    from_c: Option<&[Wide]>,
    keys: [&StreamKey; 2],
    nonce: u64,
    m: u32,
    [share_own, share_next, message]: [&mut [Wide]; 3],
    field: &mut [F],
) -> Result<(), Mismatch> {
    let n = message.len();
    check_bits::<F>(m)?;
    factors.check(n)?;
    same_length(n, [from_b.len(), from_c.map_or(n, <[Wide]>::len)])?;
    same_length(n, [share_own.len(), share_next.len(), field.len()])?;
    let [key_ab, key_ca] = keys;
    let [c_1, u_1, w_1] = [C1, U1, W1].map(|lane| Stream::new(key_ab, nonce, lane));
    let w_0 = Stream::new(key_ca, nonce, W0);
    let (mut w_1_values, mut w_0_values) = ([F::zeroed(); CHUNK], [F::zeroed(); CHUNK]);
    c_1.read(0, share_next);
    u_1.read(0, field);
    for from in (0..n).step_by(CHUNK) {
        let to = n.min(from + CHUNK);
        w_1.read(from, &mut w_1_values[..to - from]);
        w_0.read(from, &mut w_0_values[..to - from]);
        for i in from..to {
            let second = from_c.map_or(0, |from_c| number(from_c[i]));
            let opened = factors.at(i).wrapping_add(number(from_b[i])).wrapping_add(second);
            let c = opened.wrapping_add(1 << 126);
            let c_1 = number(share_next[i]);
            let masked = shift(c, m).wrapping_sub(c_1);
            message[i] = element(masked);
            let (w_1, w_0) = (w_1_values[i - from].value(), w_0_values[i - from].value());
            share_own[i] = element(masked.wrapping_add(w_0 << (128 - m)));
            share_next[i] = element(c_1.wrapping_add(w_1 << (128 - m)));
            field[i] = F::low((c >> 127).wrapping_sub(field[i].value()));
        }
    }
    Ok(())
}

/// Step 3, B: its share of c >> m and the message on the carry.
///
/// # Errors
/// If lengths differ, m is not in 1..=126 or the field is narrower than m bits.
pub fn truncation_carry_b<F: Field>(
    key_ab: &StreamKey,
    nonce: u64,
    m: u32,
    r_share: &[Wide],
    share_own: &mut [Wide],
    field: &mut [F],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(r_share.len(), [share_own.len(), field.len()])?;
    let [c_1, u_1, w_1] = [C1, U1, W1].map(|lane| Stream::new(key_ab, nonce, lane));
    let mut w_values = [F::zeroed(); CHUNK];
    let chunks = share_own.chunks_mut(CHUNK).zip(field.chunks_mut(CHUNK));
    for (k, (own, field)) in chunks.enumerate() {
        let (from, n) = (k * CHUNK, own.len());
        let (r, w) = (&r_share[from..from + n], &mut w_values[..n]);
        c_1.read(from, own);
        u_1.read(from, field);
        w_1.read(from, w);
        for i in 0..n {
            own[i] = element(number(own[i]).wrapping_add(w[i].value() << (128 - m)));
            field[i] = carry(field[i], r[i], w[i]);
        }
    }
    Ok(())
}

/// Step 3, C: its share of c >> m and the message on the carry.
///
/// # Errors
/// If lengths differ, m is not in 1..=126 or the field is narrower than m bits.
#[allow(clippy::too_many_arguments)]
pub fn truncation_carry_c<F: Field>(
    message: &[Wide],
    field_in: &[F],
    key_ca: &StreamKey,
    nonce: u64,
    m: u32,
    r_share: &[Wide],
    share_next: &mut [Wide],
    field: &mut [F],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(r_share.len(), [message.len(), field_in.len(), share_next.len(), field.len()])?;
    Stream::new(key_ca, nonce, W0).read(0, field);
    for (i, (next, field)) in share_next.iter_mut().zip(field).enumerate() {
        let w = *field;
        *next = element(number(message[i]).wrapping_add(w.value() << (128 - m)));
        *field = carry(field_in[i], r_share[i], w);
    }
    Ok(())
}

/// Step 4, B and C: add the carry to the share of r >> m.
///
/// # Errors
/// If lengths differ, m is not in 1..=126 or the field is narrower than m bits.
pub fn truncation_finish<F: Field>(
    field_1: &[F],
    field_2: &[F],
    m: u32,
    r_share: &mut [Wide],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(r_share.len(), [field_1.len(), field_2.len()])?;
    let offset = 1u128.wrapping_sub(1 << (126 - m));
    for ((r, f), g) in r_share.iter_mut().zip(field_1).zip(field_2) {
        // The sum modulo 2^m is all that the shift keeps.
        let sum = f.value().wrapping_add(g.value()) << (128 - m);
        *r = element(number(*r).wrapping_add(sum).wrapping_add(offset));
    }
    Ok(())
}
