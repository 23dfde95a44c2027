//! Stream keys and streams.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::{Array, Rows, lend};
use crate::{Lane, Nonce, Unsigned, run};

/// A 16-byte key of a pseudorandom stream that two parties share; wiped when dropped.
#[pyclass(frozen, module = "tacit._native")]
pub struct StreamKey(pub tacit_kernels::StreamKey);

#[pymethods]
impl StreamKey {
    #[new]
    fn new(key: &[u8]) -> PyResult<Self> {
        let Ok(key) = key.try_into() else {
            return Err(PyValueError::new_err("a stream key has 16 bytes"));
        };
        Ok(Self(tacit_kernels::StreamKey::new(key)))
    }

    #[allow(clippy::unused_self)]
    fn __repr__(&self) -> &'static str {
        "StreamKey(...)"
    }

    #[allow(clippy::unused_self)]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("stream keys are not pickled"))
    }
}

/// Fill a contiguous array of integers with the key stream, from block `start` on.
#[pyfunction]
#[pyo3(signature = (key, nonce, lane, out, start=Unsigned(0)), text_signature = "(key, nonce, lane, out, start=0)")]
fn fill(
    py: Python<'_>,
    key: &StreamKey,
    nonce: Nonce,
    lane: Lane,
    out: Array<'_>,
    start: Unsigned<48>,
) -> PyResult<()> {
    let ([], [out]) = lend([], [out])?;
    run(py, out.bytes(), || tacit_kernels::fill(&key.0, nonce.0, lane.0, start.0, out.slice()))
}

/// Fill every row of a matrix with a uniform permutation of its positions, from the key stream.
#[pyfunction]
fn permutation(
    py: Python<'_>,
    key: &StreamKey,
    nonce: Nonce,
    lane: Lane,
    out: Rows<'_>,
) -> PyResult<()> {
    let count = out.shape()[1];
    let ([], [out]) = lend([], [out.0])?;
    run(py, out.bytes(), || tacit_kernels::permutation(&key.0, nonce.0, lane.0, count, out.words()))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StreamKey>()?;
    module.add_function(wrap_pyfunction!(fill, module)?)?;
    module.add_function(wrap_pyfunction!(permutation, module)?)
}
