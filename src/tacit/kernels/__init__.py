"""Loops over array elements: pseudorandom streams, ring products, bit planes.

They run in Rust (:mod:`tacit._native`) with the GIL released; :mod:`tacit.kernels.reference`
defines in NumPy what each computes. Imports nothing of tacit; start reading at the reference.
"""

from __future__ import annotations

from tacit._native import (
    StreamKey,
    add,
    add_zero_share,
    and_share,
    bits_combine,
    bits_send,
    carry_generate,
    carry_level,
    carry_monomials,
    cross_terms,
    fill,
    from_planes,
    inject_combine,
    inject_send,
    joint_bits,
    joint_terms,
    linear_combination,
    matmul,
    multiply_share,
    permutation,
    to_planes,
    truncation_carry_b,
    truncation_carry_c,
    truncation_finish,
    truncation_mask,
    truncation_open,
    xor,
    xor_zero_share,
)

__all__ = [
    "StreamKey",
    "add",
    "add_zero_share",
    "and_share",
    "bits_combine",
    "bits_send",
    "carry_generate",
    "carry_level",
    "carry_monomials",
    "cross_terms",
    "fill",
    "from_planes",
    "inject_combine",
    "inject_send",
    "joint_bits",
    "joint_terms",
    "linear_combination",
    "matmul",
    "multiply_share",
    "permutation",
    "to_planes",
    "truncation_carry_b",
    "truncation_carry_c",
    "truncation_finish",
    "truncation_mask",
    "truncation_open",
    "xor",
    "xor_zero_share",
]
