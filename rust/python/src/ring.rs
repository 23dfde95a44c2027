//! Element-by-element products, and bit planes.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{Loan, Rows, Words, lend, lend_all};
use crate::stream::StreamKey;
use crate::{Lane, Nonce, run};

/// out = a + b mod 2^64.
#[pyfunction]
fn add(py: Python<'_>, a: Words<'_>, b: Words<'_>, out: Words<'_>) -> PyResult<()> {
    let ([a, b], [out]) = lend([a.0, b.0], [out.0])?;
    run(py, out.bytes(), || tacit_kernels::add(a.words(), b.words(), out.words()))
}

/// out = a ^ b.
#[pyfunction]
fn xor(py: Python<'_>, a: Words<'_>, b: Words<'_>, out: Words<'_>) -> PyResult<()> {
    let ([a, b], [out]) = lend([a.0, b.0], [out.0])?;
    run(py, out.bytes(), || tacit_kernels::xor(a.words(), b.words(), out.words()))
}

/// out = Σ factor x + constant mod 2^64.
#[pyfunction]
fn linear_combination(
    py: Python<'_>,
    terms: Vec<Bound<'_, PyAny>>,
    factors: Vec<Nonce>,
    constant: Nonce,
    out: Words<'_>,
) -> PyResult<()> {
    if terms.len() != factors.len() {
        return Err(PyValueError::new_err("there must be as many factors as terms"));
    }
    let arrays = terms.iter().map(|term| term.extract().map(|Words(array)| array));
    let arrays: Vec<_> = arrays.collect::<PyResult<_>>()?;
    let (loans, [out]) = lend_all(&arrays, [out.0])?;
    let slices = loans.into_iter().map(Loan::words);
    let terms: Vec<_> = factors.into_iter().map(|factor| factor.0).zip(slices).collect();
    run(py, out.bytes(), || tacit_kernels::linear_combination(&terms, constant.0, out.words()))
}

/// The local terms of x·y, or out plus these.
#[pyfunction]
#[pyo3(signature = (x_own, x_next, y_own, y_next, out, accumulate=false))]
fn cross_terms(
    py: Python<'_>,
    x_own: Words<'_>,
    x_next: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
    out: Words<'_>,
    accumulate: bool,
) -> PyResult<()> {
    let (pairs, [out]) = lend([x_own.0, x_next.0, y_own.0, y_next.0], [out.0])?;
    let [x_own, x_next, y_own, y_next] = pairs.map(|share| share.words());
    run(py, out.bytes(), || {
        tacit_kernels::cross_terms([[x_own, x_next], [y_own, y_next]], accumulate, out.words())
    })
}

/// The local terms of x·y plus F(key_own) - F(key_next).
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn multiply_share(
    py: Python<'_>,
    x_own: Words<'_>,
    x_next: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
    key_own: &StreamKey,
    key_next: &StreamKey,
    nonce: Nonce,
    lane: Lane,
    out: Words<'_>,
) -> PyResult<()> {
    let (pairs, [out]) = lend([x_own.0, x_next.0, y_own.0, y_next.0], [out.0])?;
    let [x_own, x_next, y_own, y_next] = pairs.map(|share| share.words());
    let (pairs, keys) = ([[x_own, x_next], [y_own, y_next]], [&key_own.0, &key_next.0]);
    run(py, out.bytes(), || {
        tacit_kernels::multiply_share(pairs, keys, nonce.0, lane.0, out.words())
    })
}

/// The local terms of x & y on packed bits, ^ F(key_own) ^ F(key_next).
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn and_share(
    py: Python<'_>,
    x_own: Words<'_>,
    x_next: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
    key_own: &StreamKey,
    key_next: &StreamKey,
    nonce: Nonce,
    lane: Lane,
    out: Words<'_>,
) -> PyResult<()> {
    let (pairs, [out]) = lend([x_own.0, x_next.0, y_own.0, y_next.0], [out.0])?;
    let [x_own, x_next, y_own, y_next] = pairs.map(|share| share.words());
    let (pairs, keys) = ([[x_own, x_next], [y_own, y_next]], [&key_own.0, &key_next.0]);
    run(py, out.bytes(), || tacit_kernels::and_share(pairs, keys, nonce.0, lane.0, out.words()))
}

/// z += F(key_own) - F(key_next).
#[pyfunction]
fn add_zero_share(
    py: Python<'_>,
    z: Words<'_>,
    key_own: &StreamKey,
    key_next: &StreamKey,
    nonce: Nonce,
    lane: Lane,
) -> PyResult<()> {
    let ([], [z]) = lend([], [z.0])?;
    run(py, z.bytes(), || {
        tacit_kernels::add_zero_share(z.words(), [&key_own.0, &key_next.0], nonce.0, lane.0);
        Ok(())
    })
}

/// z ^= F(key_own) ^ F(key_next).
#[pyfunction]
fn xor_zero_share(
    py: Python<'_>,
    z: Words<'_>,
    key_own: &StreamKey,
    key_next: &StreamKey,
    nonce: Nonce,
    lane: Lane,
) -> PyResult<()> {
    let ([], [z]) = lend([], [z.0])?;
    run(py, z.bytes(), || {
        tacit_kernels::xor_zero_share(z.words(), [&key_own.0, &key_next.0], nonce.0, lane.0);
        Ok(())
    })
}

/// Bit planes of x: out is (64, ceil(n / 64)).
#[pyfunction]
fn to_planes(py: Python<'_>, x: Words<'_>, out: Rows<'_>) -> PyResult<()> {
    let rows = out.shape()[0];
    let ([x], [out]) = lend([x.0], [out.0])?;
    if rows != 64 {
        return Err(PyValueError::new_err("out must be of shape (64, ceil(n / 64))"));
    }
    run(py, out.bytes(), || tacit_kernels::to_planes(x.words(), out.words()))
}

/// The values whose bit planes are `planes`, (64, ceil(n / 64)).
#[pyfunction]
fn from_planes(py: Python<'_>, planes: Rows<'_>, out: Words<'_>) -> PyResult<()> {
    let rows = planes.shape()[0];
    let ([planes], [out]) = lend([planes.0], [out.0])?;
    if rows != 64 {
        return Err(PyValueError::new_err("planes must be of shape (64, ceil(n / 64))"));
    }
    run(py, out.bytes(), || tacit_kernels::from_planes(planes.words(), out.words()))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(add, module)?)?;
    module.add_function(wrap_pyfunction!(xor, module)?)?;
    module.add_function(wrap_pyfunction!(linear_combination, module)?)?;
    module.add_function(wrap_pyfunction!(cross_terms, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_share, module)?)?;
    module.add_function(wrap_pyfunction!(and_share, module)?)?;
    module.add_function(wrap_pyfunction!(add_zero_share, module)?)?;
    module.add_function(wrap_pyfunction!(xor_zero_share, module)?)?;
    module.add_function(wrap_pyfunction!(to_planes, module)?)?;
    module.add_function(wrap_pyfunction!(from_planes, module)?)
}
