//! The micro-kernel with AVX-512 DQ, which multiplies words of 64 bits: two instructions for
//! eight products, the better way where the multiplication is one step (AMD since Zen 4).
//!
//! The loop is written in assembly because the order of its instructions decides its speed. Zen 4
//! adds on four pipes and multiplies on two of them, and it gives an addition its pipe before it
//! knows how busy that is. Products and sums in turn, the order that the compiler chooses, keep
//! the multipliers waiting: 1.39 cycles for eight products. In the order below, found by trying a
//! few hundred, it is 1.10; one cycle is what the multipliers need.

use std::arch::asm;

use super::blocked::{self, Kernel, Panel};
use super::views::Problem;

/// Rows of a tile; with 24 columns, 24 of the 32 registers hold sums.
const MR: usize = 8;
const NR: usize = 24;

struct Words;

impl Kernel for Words {
    const MR: usize = MR;
    const NR: usize = NR;
    const KC: usize = 512;
    const MC: usize = 120;

    #[inline(always)]
    fn tile(a: Panel<'_>, b: Panel<'_>, tile: &mut [u64]) {
        let (a, b) = (a.elements.as_chunks().0, b.elements.as_chunks().0);
        // SAFETY: this type is named by `multiply` alone, whose features include those needed.
        unsafe { sums(a, b, tile.as_chunks_mut().0) }
    }
}

/// zmm27: eight copies of the element of a at an offset.
macro_rules! copies {
    ($offset:literal) => {
        concat!("vpbroadcastq zmm27, qword ptr [{a} + ", $offset, "]\n")
    };
}

/// A product of the copies and a register of b.
macro_rules! product {
    ($to:literal, $b:literal) => {
        concat!("vpmullq zmm", $to, ", zmm27, zmm", $b, "\n")
    };
}

/// A product is added to a register of sums.
macro_rules! add {
    ($sum:literal, $product:literal) => {
        concat!("vpaddq zmm", $sum, ", zmm", $sum, ", zmm", $product, "\n")
    };
}

/// Four rows of the tile: the offsets of their elements of a, and their registers of sums.
#[rustfmt::skip]
macro_rules! rows {
    ($a0:literal $a1:literal $a2:literal $a3:literal:
     $s0:literal $s1:literal $s2:literal $s3:literal $s4:literal $s5:literal
     $s6:literal $s7:literal $s8:literal $s9:literal $s10:literal $s11:literal) => {
        concat!(
            copies!($a0), product!(28, 24), product!(29, 25), add!($s0, 28),
            product!(30, 26), copies!($a1), product!(31, 24),
            add!($s1, 29), add!($s2, 30), add!($s3, 31),
            product!(28, 25), product!(29, 26), add!($s4, 28),
            copies!($a2), product!(30, 24), product!(31, 25),
            add!($s5, 29), add!($s6, 30), add!($s7, 31),
            product!(28, 26), copies!($a3), product!(29, 24), add!($s8, 28),
            product!(30, 25), product!(31, 26),
            add!($s9, 29), add!($s10, 30), add!($s11, 31),
        )
    };
}

/// An instruction for each register of sums.
macro_rules! for_sums {
    ($instruction:ident) => {
        for_sums!($instruction: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)
    };
    ($instruction:ident: $($sum:literal)*) => {
        concat!($($instruction!($sum)),*)
    };
}

macro_rules! clear {
    ($sum:literal) => {
        concat!("vpxord zmm", $sum, ", zmm", $sum, ", zmm", $sum, "\n")
    };
}

macro_rules! store {
    ($sum:literal) => {
        concat!("vmovdqu64 zmmword ptr [{tile} + 64 * ", $sum, "], zmm", $sum, "\n")
    };
}

/// The tile of one panel of a and one of b.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn sums(a: &[[u64; MR]], b: &[[u64; NR]], tile: &mut [[u64; NR]]) {
    assert!(!a.is_empty() && a.len() == b.len() && tile.len() == MR);
    // SAFETY: the loop runs once for each row of a and of b and reads just these rows; what is
    // stored is the tile, of MR times NR words. Nothing else is touched but the named registers.
    unsafe {
        asm!(
            for_sums!(clear),
            "2:",
            "vmovdqu64 zmm24, zmmword ptr [{b}]",
            "vmovdqu64 zmm25, zmmword ptr [{b} + 64]",
            "vmovdqu64 zmm26, zmmword ptr [{b} + 128]",
            rows!(0 8 16 24: 0 1 2 3 4 5 6 7 8 9 10 11),
            rows!(32 40 48 56: 12 13 14 15 16 17 18 19 20 21 22 23),
            "add {a}, 64",
            "add {b}, 192",
            "dec {count}",
            "jnz 2b",
            for_sums!(store),
            a = inout(reg) a.as_ptr() => _,
            b = inout(reg) b.as_ptr() => _,
            count = inout(reg) a.len() => _,
            tile = in(reg) tile.as_mut_ptr(),
            out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _, out("zmm4") _,
            out("zmm5") _, out("zmm6") _, out("zmm7") _, out("zmm8") _, out("zmm9") _,
            out("zmm10") _, out("zmm11") _, out("zmm12") _, out("zmm13") _, out("zmm14") _,
            out("zmm15") _, out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _,
            out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _, out("zmm24") _,
            out("zmm25") _, out("zmm26") _, out("zmm27") _, out("zmm28") _, out("zmm29") _,
            out("zmm30") _, out("zmm31") _,
            options(nostack),
        );
    }
}

/// `c += a b`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn multiply(problem: Problem<'_>) {
    blocked::multiply::<Words>(problem);
}
