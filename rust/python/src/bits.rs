//! Bit times value, and bit to integer.

use pyo3::prelude::*;

use crate::arrays::{Words, lend, or_empty};
use crate::stream::StreamKey;
use crate::{Nonce, RoleName, run};

/// A: share beta·s and beta, beta the bits b_own ^ b_next.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn inject_send(
    py: Python<'_>,
    x_own: Words<'_>,
    x_next: Words<'_>,
    b_own: Words<'_>,
    b_next: Words<'_>,
    key_ca: &StreamKey,
    key_ab: &StreamKey,
    nonce: Nonce,
    message: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
) -> PyResult<()> {
    let inputs = [x_own.0, x_next.0, b_own.0, b_next.0];
    let (inputs, outputs) = lend(inputs, [message.0, y_own.0, y_next.0])?;
    let ([x_own, x_next, b_own, b_next], bytes) = (inputs.map(|i| i.words()), outputs[0].bytes());
    let keys = [&key_ca.0, &key_ab.0];
    run(py, bytes, || {
        let outputs = outputs.map(|output| output.words());
        tacit_kernels::inject_send([x_own, x_next], [b_own, b_next], keys, nonce.0, outputs)
    })
}

/// B and C: the additive share of (beta ^ q) x, minus y.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn inject_combine(
    py: Python<'_>,
    role: RoleName,
    t: Words<'_>,
    x_side: Words<'_>,
    q: Words<'_>,
    message: Option<Words<'_>>,
    key: &StreamKey,
    nonce: Nonce,
    out: Words<'_>,
    y: Words<'_>,
) -> PyResult<()> {
    let received = message.is_some();
    let inputs = [t.0, x_side.0, q.0, or_empty(message.map(|message| message.0))];
    let (inputs, [out, y]) = lend(inputs, [out.0, y.0])?;
    let [t, x_side, q, message] = inputs.map(|input| input.words());
    run(py, out.bytes(), || {
        let message = received.then_some(message);
        let (out, y, key) = (out.words(), y.words(), &key.0);
        tacit_kernels::inject_combine(role.0, t, x_side, q, message, key, nonce.0, out, y)
    })
}

/// A: share the bits b_own ^ b_next as ring integers.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn bits_send(
    py: Python<'_>,
    b_own: Words<'_>,
    b_next: Words<'_>,
    key_ca: &StreamKey,
    key_ab: &StreamKey,
    nonce: Nonce,
    message: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
) -> PyResult<()> {
    let (inputs, outputs) = lend([b_own.0, b_next.0], [message.0, y_own.0, y_next.0])?;
    let (b, bytes) = (inputs.map(|input| input.words()), outputs[0].bytes());
    run(py, bytes, || {
        let outputs = outputs.map(|output| output.words());
        tacit_kernels::bits_send(b, [&key_ca.0, &key_ab.0], nonce.0, outputs)
    })
}

/// B and C: the additive share of beta ^ q as an integer, minus y.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn bits_combine(
    py: Python<'_>,
    role: RoleName,
    q: Words<'_>,
    message: Option<Words<'_>>,
    key: &StreamKey,
    nonce: Nonce,
    out: Words<'_>,
    y: Words<'_>,
) -> PyResult<()> {
    let received = message.is_some();
    let inputs = [q.0, or_empty(message.map(|message| message.0))];
    let (inputs, [out, y]) = lend(inputs, [out.0, y.0])?;
    let [q, message] = inputs.map(|input| input.words());
    run(py, out.bytes(), || {
        let message = received.then_some(message);
        tacit_kernels::bits_combine(role.0, q, message, &key.0, nonce.0, out.words(), y.words())
    })
}

/// A: share the bits alpha, beta and their products.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn lookup_send(
    py: Python<'_>,
    a_own: Words<'_>,
    a_next: Words<'_>,
    b_own: Words<'_>,
    b_next: Words<'_>,
    key_ca: &StreamKey,
    key_ab: &StreamKey,
    nonce: Nonce,
    message: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
) -> PyResult<()> {
    let inputs = [a_own.0, a_next.0, b_own.0, b_next.0];
    let (inputs, outputs) = lend(inputs, [message.0, y_own.0, y_next.0])?;
    let ([a_own, a_next, b_own, b_next], bytes) = (inputs.map(|i| i.words()), outputs[0].bytes());
    let keys = [&key_ca.0, &key_ab.0];
    run(py, bytes, || {
        let outputs = outputs.map(|output| output.words());
        tacit_kernels::lookup_send([a_own, a_next], [b_own, b_next], keys, nonce.0, outputs)
    })
}

/// B and C: the additive shares of the tables' values at (alpha ^ p) + 2 (beta ^ q), minus y.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn lookup_combine(
    py: Python<'_>,
    role: RoleName,
    p: Words<'_>,
    q: Words<'_>,
    message: Option<Words<'_>>,
    tables: Words<'_>,
    key: &StreamKey,
    nonce: Nonce,
    out: Words<'_>,
    y: Words<'_>,
) -> PyResult<()> {
    let received = message.is_some();
    let inputs = [p.0, q.0, or_empty(message.map(|message| message.0)), tables.0];
    let (inputs, [out, y]) = lend(inputs, [out.0, y.0])?;
    let [p, q, message, tables] = inputs.map(|input| input.words());
    run(py, out.bytes(), || {
        let message = received.then_some(message);
        let (out, y, key) = (out.words(), y.words(), &key.0);
        tacit_kernels::lookup_combine(role.0, [p, q], message, tables, key, nonce.0, out, y)
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(inject_send, module)?)?;
    module.add_function(wrap_pyfunction!(inject_combine, module)?)?;
    module.add_function(wrap_pyfunction!(bits_send, module)?)?;
    module.add_function(wrap_pyfunction!(bits_combine, module)?)?;
    module.add_function(wrap_pyfunction!(lookup_send, module)?)?;
    module.add_function(wrap_pyfunction!(lookup_combine, module)?)
}
