//! The local part of four-party products.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tacit_kernels::{Algebra, Long, Mismatch, Packed, Words as Ring};

use crate::arrays::{Fields, Loan, LoanMut, Words, lend, lend_all, or_empty};
use crate::stream::StreamKey;
use crate::truncation::{same_field, with_field};
use crate::wide::{read, write};
use crate::{Bits, Count, Lane, Nonce, Unsigned, run};

macro_rules! joint {
    ($(#[$meta:meta])* $name:ident, $algebra:expr, $read:expr, $write:expr) => {
        $(#[$meta])*
        #[pyfunction]
        #[allow(clippy::too_many_arguments)]
        fn $name(
            py: Python<'_>,
            party: Count,
            factors: Vec<Bound<'_, PyAny>>,
            key_0: &StreamKey,
            key_1: &StreamKey,
            key_2: &StreamKey,
            nonce: Nonce,
            share_0: Words<'_>,
            share_1: Words<'_>,
            share_2: Words<'_>,
            term_0: Words<'_>,
            term_1: Words<'_>,
            term_2: Words<'_>,
        ) -> PyResult<()> {
            let arrays = factors.iter().map(|share| share.extract().map(|Words(array)| array));
            let arrays: Vec<_> = arrays.collect::<PyResult<_>>()?;
            if !matches!(arrays.len(), 0 | 6) {
                return Err(PyValueError::new_err("the factors are six arrays, or none"));
            }
            let shares_and_terms =
                [share_0, share_1, share_2, term_0, term_1, term_2].map(|array| array.0);
            let (inputs, outputs) = lend_all(&arrays, shares_and_terms)?;
            let keys = [&key_0.0, &key_1.0, &key_2.0];
            compute(py, $algebra, party.0, &inputs, keys, nonce.0, outputs, $read, $write)
        }
    };
}

joint!(
    /// Terms over Z_2^64, their masks and what is known of the shares.
    joint_terms, Ring, |loan| Ok(loan.words()), |loan| Ok(loan.words())
);
joint!(
    /// The same on packed bits.
    joint_bits, Packed, |loan| Ok(loan.words()), |loan| Ok(loan.words())
);
joint!(
    /// The same over Z_2^128.
    wide_joint_terms, Long, read, write
);

#[allow(clippy::too_many_arguments)]
fn compute<'a, A: Algebra + Send>(
    py: Python<'_>,
    algebra: A,
    party: usize,
    inputs: &[Loan<'a>],
    keys: [&tacit_kernels::StreamKey; 3],
    nonce: u64,
    outputs: [LoanMut<'a>; 6],
    read: fn(Loan<'a>) -> Result<&'a [A::Element], Mismatch>,
    write: fn(LoanMut<'a>) -> Result<&'a mut [A::Element], Mismatch>,
) -> PyResult<()> {
    let bytes = outputs.iter().map(LoanMut::bytes).sum();
    run(py, bytes, move || {
        let [s_0, s_1, s_2, t_0, t_1, t_2] = outputs;
        let shares = [write(s_0)?, write(s_1)?, write(s_2)?];
        let terms = [write(t_0)?, write(t_1)?, write(t_2)?];
        let factors = match *inputs {
            [x_0, x_1, x_2, y_0, y_1, y_2] => {
                Some([[read(x_0)?, read(x_1)?, read(x_2)?], [read(y_0)?, read(y_1)?, read(y_2)?]])
            }
            _ => None,
        };
        tacit_kernels::joint_terms(algebra, party, factors, keys, nonce, shares, terms)
    })
}

/// (g, p) of blocks of three bits from shares of both numbers' monomials.
#[pyfunction]
fn joint_leaves(
    py: Python<'_>,
    a: Words<'_>,
    b: Words<'_>,
    blocks: Count,
    lowest: Count,
    out: Words<'_>,
) -> PyResult<()> {
    let ([a, b], [out]) = lend([a.0, b.0], [out.0])?;
    run(py, out.bytes(), || {
        tacit_kernels::joint_leaves(a.words(), b.words(), blocks.0, lowest.0, out.words())
    })
}

macro_rules! inject {
    ($(#[$meta:meta])* $name:ident, $algebra:expr, $read:expr, $write:expr) => {
        $(#[$meta])*
        #[pyfunction]
        #[allow(clippy::too_many_arguments)]
        fn $name(
            py: Python<'_>,
            product_s: Words<'_>,
            bit_s: Words<'_>,
            x_s: Words<'_>,
            product_t: Words<'_>,
            bit_t: Words<'_>,
            x_t: Words<'_>,
            with_one: bool,
            out: Words<'_>,
        ) -> PyResult<()> {
            let inputs = [product_s.0, bit_s.0, x_s.0, product_t.0, bit_t.0, x_t.0];
            let (inputs, [out]) = lend(inputs, [out.0])?;
            run(py, out.bytes(), || {
                let [p_s, b_s, x_s, p_t, b_t, x_t] = inputs;
                let s = [$read(p_s)?, $read(b_s)?, $read(x_s)?];
                let t = [$read(p_t)?, $read(b_t)?, $read(x_t)?];
                tacit_kernels::joint_inject($algebra, s, t, with_one, $write(out)?)
            })
        }
    };
}

fn words(loan: Loan<'_>) -> Result<&[u64], Mismatch> {
    Ok(loan.words())
}

fn words_mut(loan: LoanMut<'_>) -> Result<&mut [u64], Mismatch> {
    Ok(loan.words())
}

inject!(
    /// The term of a bit times a number over Z_2^64.
    joint_inject, Ring, words, words_mut
);
inject!(
    /// The same over Z_2^128.
    wide_joint_inject, Long, read, write
);

/// Lanes of two streams of one key.
type Lanes = (u16, u16);

/// What a pair knows of a number to truncate, shifted, and its top bit: masks and rests.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn joint_halves(
    py: Python<'_>,
    first: Words<'_>,
    second: Option<Words<'_>>,
    offset: Unsigned<64>,
    m: Bits,
    key: &StreamKey,
    nonce: Nonce,
    lanes: Lanes,
    mask: Words<'_>,
    rest: Words<'_>,
    field_mask: Fields<'_>,
    field_rest: Fields<'_>,
) -> PyResult<()> {
    let (two, item) = (second.is_some(), field_mask.item());
    same_field(item, field_rest.item())?;
    let inputs = [first.0, or_empty(second.map(|second| second.0))];
    let outputs = [mask.0, rest.0, field_mask.0, field_rest.0];
    let ([first, second], [mask, rest, field_mask, field_rest]) = lend(inputs, outputs)?;
    run(py, mask.bytes(), || {
        let (first, second) = (first.words(), two.then(|| second.words()));
        let (key, nonce, lanes) = (&key.0, nonce.0, [lanes.0, lanes.1]);
        let out = [mask, rest].map(|share| share.words());
        with_field!(item, F => {
            let fields = [field_mask, field_rest].map(|field| field.slice::<F>());
            tacit_kernels::joint_halves(first, second, offset.0, m.0, key, nonce, lanes, out, fields)
        })
    })
}

/// A product of the field, masked, and both parts added to their shares.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn joint_carry(
    py: Python<'_>,
    a: Fields<'_>,
    b: Fields<'_>,
    key: &StreamKey,
    nonce: Nonce,
    lane: Lane,
    m: Bits,
    offset: Unsigned<64>,
    share_mask: Words<'_>,
    share_rest: Words<'_>,
    rest: Fields<'_>,
) -> PyResult<()> {
    let item = rest.item();
    same_field(item, a.item())?;
    same_field(item, b.item())?;
    let outputs = [share_mask.0, share_rest.0, rest.0];
    let (inputs, [share_mask, share_rest, rest]) = lend([a.0, b.0], outputs)?;
    run(py, share_mask.bytes(), || {
        let (key, nonce) = (&key.0, nonce.0);
        let shares = [share_mask, share_rest].map(|share| share.words());
        with_field!(item, F => {
            let (factors, rest) = (inputs.map(|field| field.slice::<F>()), rest.slice::<F>());
            tacit_kernels::joint_carry(factors, key, nonce, lane.0, m.0, offset.0, shares, rest)
        })
    })
}

/// share += field 2^(64-m) + offset.
#[pyfunction]
fn joint_placed(
    py: Python<'_>,
    field: Fields<'_>,
    m: Bits,
    offset: Unsigned<64>,
    share: Words<'_>,
) -> PyResult<()> {
    let item = field.item();
    let ([field], [share]) = lend([field.0], [share.0])?;
    run(py, share.bytes(), || {
        let share = share.words();
        with_field!(item, F => {
            tacit_kernels::joint_placed(field.slice::<F>(), m.0, offset.0, share)
        })
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(joint_halves, module)?)?;
    module.add_function(wrap_pyfunction!(joint_carry, module)?)?;
    module.add_function(wrap_pyfunction!(joint_placed, module)?)?;
    module.add_function(wrap_pyfunction!(joint_leaves, module)?)?;
    module.add_function(wrap_pyfunction!(joint_inject, module)?)?;
    module.add_function(wrap_pyfunction!(wide_joint_inject, module)?)?;
    module.add_function(wrap_pyfunction!(joint_terms, module)?)?;
    module.add_function(wrap_pyfunction!(joint_bits, module)?)?;
    module.add_function(wrap_pyfunction!(wide_joint_terms, module)?)
}
