//! Product with truncation by m bits, without a reshare before truncating; roles A, B, C.
//!
//! A opens c = x·y + 2^62 - r for a mask r that B and C share; then
//! x·y >> m = (c >> m) + (r >> m) + c_top r_top 2^(64-m) - 2^(62-m), up to a unit in the last
//! place, and the bit product c_top r_top is shared modulo 2^m in two messages of B and C. The
//! argument is in `tacit.protocols`; the steps and lanes are those of `kernels.reference`.

use bytemuck::Pod;

use crate::path::multiversion;
use crate::ring::local_product;
use crate::stream::{Stream, StreamKey};
use crate::{CHUNK, Mismatch, same_length};

/// Lanes of s and r (key of B and C), c_1, u_1 and w_1 (A and B), w_0 (C and A).
pub(crate) const S: u16 = 0;
pub(crate) const R: u16 = 1;
pub(crate) const C1: u16 = 2;
pub(crate) const U1: u16 = 3;
pub(crate) const W1: u16 = 4;
pub(crate) const W0: u16 = 5;

/// One of the two roles that know the third share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds shares j+1 and j+2.
    B,
    /// Holds shares j+2 and j.
    C,
}

/// What is truncated: x·y for shares `[own, next]`, or a local product computed before.
#[derive(Clone, Copy)]
pub enum Factors<'a> {
    /// `[[x_own, x_next], [y_own, y_next]]`.
    Shares([[&'a [u64]; 2]; 2]),
    /// The party's additive share of the product.
    Product(&'a [u64]),
}

impl<'a> Factors<'a> {
    fn check(&self, n: usize) -> Result<(), Mismatch> {
        match self {
            Self::Product(z) => same_length(n, [z.len()]),
            Self::Shares([x, y]) => same_length(n, [x[0], x[1], y[0], y[1]].map(<[u64]>::len)),
        }
    }

    /// Write elements `from`, `from + 1`, … of the local product.
    #[inline(always)]
    fn write(&self, from: usize, out: &mut [u64]) {
        let n = out.len();
        match self {
            Self::Product(z) => out.copy_from_slice(&z[from..from + n]),
            Self::Shares(pairs) => {
                let [[x0, x1], [y0, y1]] =
                    pairs.map(|pair| pair.map(|share| &share[from..from + n]));
                for i in 0..n {
                    out[i] = local_product([x0[i], x1[i]], [y0[i], y1[i]]);
                }
            }
        }
    }
}

/// An unsigned integer type that holds the m low bits of the carry.
pub trait Field: Pod {
    /// The value in the low bits of a word.
    fn word(self) -> u64;
    /// The low bits of a word.
    fn low(word: u64) -> Self;
}

macro_rules! field {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline(always)]
            #[allow(clippy::cast_lossless)]
            fn word(self) -> u64 {
                self as u64
            }
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation)]
            fn low(word: u64) -> Self {
                word as Self
            }
        }
    )*};
}
field!(u16, u32, u64);

pub(crate) fn check_bits<F: Field>(m: u32) -> Result<(), Mismatch> {
    if !(1..=62).contains(&m) {
        Err(Mismatch("m must be between 1 and 62"))
    } else if (m as usize) > 8 * size_of::<F>() {
        Err(Mismatch("the field is narrower than m bits"))
    } else {
        Ok(())
    }
}

/// The arithmetic shift of a two's complement number.
#[inline(always)]
#[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
pub(crate) fn shift(x: u64, m: u32) -> u64 {
    ((x as i64) >> m) as u64
}

multiversion! {
    fn mask(role: Role, factors: Factors<'_>, streams: [Stream<'_>; 2], m: u32,
            message: &mut [u64], r_share: &mut [u64]) {
        let mut s = [0; CHUNK];
        let chunks = message.chunks_mut(CHUNK).zip(r_share.chunks_mut(CHUNK));
        for (c, (message, r)) in chunks.enumerate() {
            let s = &mut s[..message.len()];
            streams[0].read(c * CHUNK, s);
            streams[1].read(c * CHUNK, r);
            factors.write(c * CHUNK, message);
            let values = message.iter_mut().zip(&*s).zip(r);
            match role {
                Role::B => for ((z, s), r) in values {
                    *z = z.wrapping_sub(*s);
                    *r = shift(*r, m);
                },
                Role::C => for ((z, s), r) in values {
                    *z = z.wrapping_add(*s).wrapping_sub(*r);
                    *r = shift(*r, m);
                },
            }
        }
    }
}

/// A's outputs.
pub(crate) struct Opened<'a, F> {
    share_own: &'a mut [u64],
    share_next: &'a mut [u64],
    message: &'a mut [u64],
    field: &'a mut [F],
}

multiversion! {
    fn open[F: Field](factors: Factors<'_>, from_b: &[u64], from_c: Option<&[u64]>,
                      key_ab: &StreamKey, key_ca: &StreamKey, nonce: u64, m: u32,
                      out: Opened<'_, F>) {
        let [c_1, u_1, w_1] = [C1, U1, W1].map(|lane| Stream::new(key_ab, nonce, lane));
        let w_0 = Stream::new(key_ca, nonce, W0);
        let (mut w_1_values, mut w_0_values) = ([F::zeroed(); CHUNK], [F::zeroed(); CHUNK]);
        let chunks = out.message.chunks_mut(CHUNK)
            .zip(out.field.chunks_mut(CHUNK))
            .zip(out.share_own.chunks_mut(CHUNK))
            .zip(out.share_next.chunks_mut(CHUNK));
        for (k, (((message, field), own), next)) in chunks.enumerate() {
            let (from, n) = (k * CHUNK, message.len());
            let (field, own, next) = (&mut field[..n], &mut own[..n], &mut next[..n]);
            let (w_1_values, w_0_values) = (&mut w_1_values[..n], &mut w_0_values[..n]);
            c_1.read(from, next);
            u_1.read(from, field);
            w_1.read(from, w_1_values);
            w_0.read(from, w_0_values);
            factors.write(from, message);
            if let Some(from_c) = from_c {
                for (z, from_c) in message.iter_mut().zip(&from_c[from..from + n]) {
                    *z = z.wrapping_add(*from_c);
                }
            }
            let from_b = &from_b[from..from + n];
            for i in 0..n {
                let c = message[i].wrapping_add(from_b[i]).wrapping_add(1 << 62);
                let masked = shift(c, m).wrapping_sub(next[i]);
                message[i] = masked;
                own[i] = masked.wrapping_add(w_0_values[i].word() << (64 - m));
                next[i] = next[i].wrapping_add(w_1_values[i].word() << (64 - m));
                field[i] = F::low((c >> 63).wrapping_sub(field[i].word()));
            }
        }
    }
}

multiversion! {
    fn carry_b[F: Field](key_ab: &StreamKey, nonce: u64, m: u32, r_share: &[u64],
                         share_own: &mut [u64], field: &mut [F]) {
        let [c_1, u_1, w_1] = [C1, U1, W1].map(|lane| Stream::new(key_ab, nonce, lane));
        let mut w_values = [F::zeroed(); CHUNK];
        let chunks = share_own.chunks_mut(CHUNK).zip(field.chunks_mut(CHUNK));
        for (k, (own, field)) in chunks.enumerate() {
            let (from, n) = (k * CHUNK, own.len());
            let (r, w, field) = (&r_share[from..from + n], &mut w_values[..n], &mut field[..n]);
            c_1.read(from, own);
            u_1.read(from, field);
            w_1.read(from, w);
            for i in 0..n {
                own[i] = own[i].wrapping_add(w[i].word() << (64 - m));
                field[i] = carry(field[i], r[i], w[i]);
            }
        }
    }
}

/// `u r_top - w`: the top bit selects, as a mask.
#[inline(always)]
fn carry<F: Field>(u: F, r: u64, w: F) -> F {
    F::low((u.word() & shift(r, 63)).wrapping_sub(w.word()))
}

multiversion! {
    fn carry_c[F: Field](message: &[u64], field_in: &[F], w_0: Stream<'_>, m: u32,
                         r_share: &[u64], share_next: &mut [u64], field: &mut [F]) {
        let mut w_values = [F::zeroed(); CHUNK];
        let chunks = share_next.chunks_mut(CHUNK).zip(field.chunks_mut(CHUNK));
        for (k, (next, field)) in chunks.enumerate() {
            let (from, n) = (k * CHUNK, next.len());
            let (r, w, field) = (&r_share[from..from + n], &mut w_values[..n], &mut field[..n]);
            let (message, field_in) = (&message[from..from + n], &field_in[from..from + n]);
            w_0.read(from, w);
            for i in 0..n {
                next[i] = message[i].wrapping_add(w[i].word() << (64 - m));
                field[i] = carry(field_in[i], r[i], w[i]);
            }
        }
    }
}

multiversion! {
    fn finish[F: Field](field_1: &[F], field_2: &[F], m: u32, r_share: &mut [u64]) {
        let offset = 1u64.wrapping_sub(1 << (62 - m));
        for ((r, f), g) in r_share.iter_mut().zip(field_1).zip(field_2) {
            // The sum modulo 2^m is all that the shift keeps.
            let sum = f.word().wrapping_add(g.word()) << (64 - m);
            *r = r.wrapping_add(sum).wrapping_add(offset);
        }
    }
}

/// Step 1, B and C: mask the local product for A and keep the shifted mask.
///
/// # Errors
/// If lengths differ or m is not in 1..=62.
pub fn truncation_mask(
    role: Role,
    factors: Factors<'_>,
    key_bc: &StreamKey,
    nonce: u64,
    m: u32,
    message: &mut [u64],
    r_share: &mut [u64],
) -> Result<(), Mismatch> {
    check_bits::<u64>(m)?;
    factors.check(message.len())?;
    same_length(message.len(), [r_share.len()])?;
    let streams = [S, R].map(|lane| Stream::new(key_bc, nonce, lane));
    mask(role, factors, streams, m, message, r_share);
    Ok(())
}

/// Step 2, A: open c, share c >> m and the top bit of c. `keys` are those with B and with C.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
#[allow(clippy::too_many_arguments)]
pub fn truncation_open<F: Field>(
    factors: Factors<'_>,
    from_b: &[u64],
    from_c: Option<&[u64]>,
    keys: [&StreamKey; 2],
    nonce: u64,
    m: u32,
    [share_own, share_next, message]: [&mut [u64]; 3],
    field: &mut [F],
) -> Result<(), Mismatch> {
    let n = message.len();
    check_bits::<F>(m)?;
    factors.check(n)?;
    same_length(n, [from_b.len(), from_c.map_or(n, <[u64]>::len)])?;
    same_length(n, [share_own.len(), share_next.len(), field.len()])?;
    let out = Opened { share_own, share_next, message, field };
    open(factors, from_b, from_c, keys[0], keys[1], nonce, m, out);
    Ok(())
}

/// Step 3, B: its share of c >> m and the message on the carry.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
pub fn truncation_carry_b<F: Field>(
    key_ab: &StreamKey,
    nonce: u64,
    m: u32,
    r_share: &[u64],
    share_own: &mut [u64],
    field: &mut [F],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(r_share.len(), [share_own.len(), field.len()])?;
    carry_b(key_ab, nonce, m, r_share, share_own, field);
    Ok(())
}

/// Step 3, C: its share of c >> m and the message on the carry.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
#[allow(clippy::too_many_arguments)]
pub fn truncation_carry_c<F: Field>(
    message: &[u64],
    field_in: &[F],
    key_ca: &StreamKey,
    nonce: u64,
    m: u32,
    r_share: &[u64],
    share_next: &mut [u64],
    field: &mut [F],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(r_share.len(), [message.len(), field_in.len(), share_next.len(), field.len()])?;
    carry_c(message, field_in, Stream::new(key_ca, nonce, W0), m, r_share, share_next, field);
    Ok(())
}

/// Step 4, B and C: add the carry to the share of r >> m.
///
/// # Errors
/// If lengths differ, m is not in 1..=62 or the field is narrower than m bits.
pub fn truncation_finish<F: Field>(
    field_1: &[F],
    field_2: &[F],
    m: u32,
    r_share: &mut [u64],
) -> Result<(), Mismatch> {
    check_bits::<F>(m)?;
    same_length(r_share.len(), [field_1.len(), field_2.len()])?;
    finish(field_1, field_2, m, r_share);
    Ok(())
}
