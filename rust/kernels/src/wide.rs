//! The kernels over Z_2^128: the same names and steps as those over Z_2^64.
//!
//! An element is two words, low and high, so that its memory is aligned like theirs; in registers
//! it is a `u128`. All but matrix products are plain loops: a multiplication of 128 bits is three
//! of 64, which no vector instruction does, and the streams cost twice as much as in Z_2^64.

mod bits;
mod matmul;
mod ring;
mod truncation;

pub use crate::carry::wide::{carry_generate, carry_monomials};
pub use bits::{bits_combine, bits_send, inject_combine, inject_send};
pub use matmul::matmul;
pub use ring::{
    Operation, add_zero_share, combine, cross_terms, cumulative_sums, from_floats, multiply_share,
    shift_left, shift_right, sums, to_floats,
};
pub use truncation::{
    Factors, Field, truncation_carry_b, truncation_carry_c, truncation_finish, truncation_mask,
    truncation_open,
};

/// An element of Z_2^128: the low word, then the high one.
pub type Wide = [u64; 2];

/// Elements handled at a time.
const CHUNK: usize = 256;

/// The number of an element.
#[inline(always)]
pub(crate) fn number(element: Wide) -> u128 {
    u128::from(element[1]) << 64 | u128::from(element[0])
}

/// The element of a number.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn element(number: u128) -> Wide {
    [number as u64, (number >> 64) as u64]
}

/// The arithmetic shift of a two's complement number.
#[inline(always)]
fn shift(number: u128, bits: u32) -> u128 {
    (number.cast_signed() >> bits).cast_unsigned()
}
