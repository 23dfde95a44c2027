//! Loops over array elements for tacit: pseudorandom streams, ring products, bit planes.
//!
//! Ring elements are `u64`, in Z_2^64; bits are packed 64 to the word. Every function checks the
//! lengths of its arguments and returns [`Mismatch`] before it writes anything; what each one
//! computes is defined by `tacit.kernels.reference` in Python, against which all of them are
//! tested on every instruction set.
//!
//! # Instruction sets
//! One generic body is compiled for each [`Path`] and chosen at run time. `unsafe` is confined
//! to calling code compiled for a detected instruction set (two macros, in `path.rs` and
//! `lanes.rs`) and to the files that hold intrinsics or assembly: `lanes.rs`, `matmul/avx512.rs`,
//! `matmul/avx512_words.rs`, `matmul/avx2.rs` and `wide/matmul/avx512.rs`.
//!
//! # Constant time
//! No branch and no address depends on an element, a bit or a key: control flow follows
//! lengths, roles and public parameters alone; [`permutation`] alone is no such loop. AES comes
//! from the `aes` crate (AES-NI, VAES or bit-sliced software, all constant time). [`StreamKey`] is wiped when dropped; buffers of
//! masks on the stack and packed panels of matrices are not.

#[cfg(not(target_endian = "little"))]
compile_error!("tacit reads key streams and bit planes in little endian");

mod bits;
mod carry;
mod joint;
mod lanes;
mod matmul;
mod path;
mod permutation;
mod planes;
mod ring;
mod stream;
mod truncation;
pub mod wide;

pub use bits::{
    MOST_OUTPUTS, bits_combine, bits_send, inject_combine, inject_send, lookup_combine, lookup_send,
};
pub use carry::{Masks, Planes, PlanesMut, Tail, carry_generate, carry_level, carry_monomials};
pub use joint::{
    Algebra, Long, Packed, Words, joint_carry, joint_halves, joint_inject, joint_leaves,
    joint_placed, joint_terms,
};
pub use matmul::{Matrix, MatrixMut, matmul};
pub use path::{Path, path, set_path};
pub use permutation::permutation;
pub use planes::{from_planes, to_planes};
pub use ring::{
    add, add_zero_share, and_share, cross_terms, linear_combination, multiply_share, xor,
    xor_zero_share,
};
pub use stream::{MAX_BLOCKS, StreamKey, fill};
pub use truncation::{
    Factors, Field, Role, truncation_carry_b, truncation_carry_c, truncation_finish,
    truncation_mask, truncation_open,
};

/// Arguments do not fit together; the text says which, never what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch(pub &'static str);

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Mismatch {}

/// `Ok` if all lengths equal `n`.
fn same_length<const N: usize>(n: usize, lengths: [usize; N]) -> Result<(), Mismatch> {
    if lengths.iter().all(|&length| length == n) {
        Ok(())
    } else {
        Err(Mismatch("arrays differ in length"))
    }
}

/// Elements handled at a time: a few buffers of this size stay in the level-1 cache.
const CHUNK: usize = 512;
