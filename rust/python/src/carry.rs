//! Monomials, first level and further levels of the carry tree.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use tacit_kernels::{Masks, Tail};

use crate::arrays::{Blocks, Words, lend, or_empty};
use crate::stream::StreamKey;
use crate::{Count, Lane, Nonce, RoleName, run};

/// A: share the monomials of s = x_own + x_next between B and C.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn carry_monomials(
    py: Python<'_>,
    x_own: Words<'_>,
    x_next: Words<'_>,
    key_ca: &StreamKey,
    key_ab: &StreamKey,
    nonce: Nonce,
    width: Count,
    with_top: bool,
    message: Blocks<'_>,
    level_own: Blocks<'_>,
    level_next: Blocks<'_>,
    top_own: Blocks<'_>,
    top_next: Blocks<'_>,
) -> PyResult<()> {
    let outputs = [message.0, level_own.0, level_next.0, top_own.0, top_next.0];
    let ([x_own, x_next], outputs) = lend([x_own.0, x_next.0], outputs)?;
    let [message, level_own, level_next, top_own, top_next] = outputs;
    run(py, message.bytes(), || {
        tacit_kernels::carry_monomials(
            [x_own.words(), x_next.words()],
            [&key_ca.0, &key_ab.0],
            nonce.0,
            width.0,
            with_top,
            message.planes(),
            [level_own.planes(), level_next.planes()],
            [top_own.planes(), top_next.planes()],
        )
    })
}

/// B and C: shares of the first level's (g, p) pairs.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn carry_generate(
    py: Python<'_>,
    role: RoleName,
    t: Words<'_>,
    message: Option<Blocks<'_>>,
    key: &StreamKey,
    nonce: Nonce,
    width: Count,
    with_top: bool,
    out: Blocks<'_>,
    level: Blocks<'_>,
    top_t: Blocks<'_>,
    top_s: Blocks<'_>,
) -> PyResult<()> {
    let received = message.is_some();
    let inputs = [t.0, or_empty(message.map(|message| message.0))];
    let ([t, message], outputs) = lend(inputs, [out.0, level.0, top_t.0, top_s.0])?;
    let [out, level, top_t, top_s] = outputs;
    run(py, out.bytes(), || {
        tacit_kernels::carry_generate(
            role.0,
            t.words(),
            received.then(|| message.planes()),
            &key.0,
            nonce.0,
            width.0,
            with_top,
            out.planes(),
            level.planes(),
            [top_t.planes(), top_s.planes()],
        )
    })
}

/// One level of the carry tree.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn carry_level(
    py: Python<'_>,
    own: Blocks<'_>,
    next: Blocks<'_>,
    tail_own: Option<Blocks<'_>>,
    tail_next: Option<Blocks<'_>>,
    tail_plane: Count,
    key_own: &StreamKey,
    key_next: &StreamKey,
    nonce: Nonce,
    lane: Lane,
    extra: Option<Blocks<'_>>,
    out: Blocks<'_>,
) -> PyResult<()> {
    if tail_own.is_some() != tail_next.is_some() {
        return Err(PyTypeError::new_err("tail_own and tail_next go together"));
    }
    let (with_tail, with_extra) = (tail_own.is_some(), extra.is_some());
    let [tail_own, tail_next, extra] =
        [tail_own, tail_next, extra].map(|array| or_empty(array.map(|array| array.0)));
    let inputs = [own.0, next.0, tail_own, tail_next, extra];
    let ([own, next, tail_own, tail_next, extra], [out]) = lend(inputs, [out.0])?;
    let masks = Masks { keys: [&key_own.0, &key_next.0], nonce: nonce.0, lane: lane.0 };
    run(py, out.bytes(), || {
        let tail = with_tail
            .then(|| Tail { shares: [tail_own.planes(), tail_next.planes()], plane: tail_plane.0 });
        let extra = with_extra.then(|| extra.planes());
        tacit_kernels::carry_level([own.planes(), next.planes()], tail, masks, extra, out.planes())
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(carry_monomials, module)?)?;
    module.add_function(wrap_pyfunction!(carry_generate, module)?)?;
    module.add_function(wrap_pyfunction!(carry_level, module)?)
}
