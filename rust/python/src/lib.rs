//! `tacit._native`: the Rust crates of tacit as a Python extension.
//!
//! This crate only translates: arguments are checked here once (type, layout, overlap), lengths
//! in the crates below; the GIL is released for all but small work.

mod arrays;
mod bits;
mod carry;
mod joint;
mod links;
mod matmul;
mod ring;
mod stream;
mod truncation;
mod wide;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use tacit_kernels::{Mismatch, Path, Role};

/// Bytes of output from which releasing the GIL pays.
const LARGE: usize = 1 << 15;

/// Run a kernel that writes `bytes`, without the GIL if that is much.
fn run(
    py: Python<'_>,
    bytes: usize,
    kernel: impl FnOnce() -> Result<(), Mismatch> + Send,
) -> PyResult<()> {
    let result = if bytes < LARGE { kernel() } else { py.detach(kernel) };
    result.map_err(|mismatch| PyValueError::new_err(mismatch.0))
}

/// An unsigned integer argument of any width; out of range is a `ValueError`.
struct Unsigned<const BITS: u32>(u64);

impl<'py, const BITS: u32> FromPyObject<'_, 'py> for Unsigned<BITS> {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match obj.extract::<u64>() {
            Ok(value) if BITS == 64 || value >> BITS == 0 => Ok(Self(value)),
            Err(error) if error.is_instance_of::<PyTypeError>(obj.py()) => Err(error),
            _ => Err(PyValueError::new_err(format!("expected an integer from 0 to 2^{BITS} - 1"))),
        }
    }
}

/// A nonce.
type Nonce = Unsigned<64>;

/// A lane of a stream.
struct Lane(u16);

impl<'py> FromPyObject<'_, 'py> for Lane {
    type Error = PyErr;

    #[allow(clippy::cast_possible_truncation)]
    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(obj.extract::<Unsigned<16>>()?.0 as u16))
    }
}

/// Bits to truncate by; the kernels check the range.
struct Bits(u32);

impl<'py> FromPyObject<'_, 'py> for Bits {
    type Error = PyErr;

    #[allow(clippy::cast_possible_truncation)]
    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(obj.extract::<Unsigned<32>>()?.0 as u32))
    }
}

/// A small number: a width, a plane, threads.
struct Count(usize);

impl<'py> FromPyObject<'_, 'py> for Count {
    type Error = PyErr;

    #[allow(clippy::cast_possible_truncation)]
    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(obj.extract::<Unsigned<31>>()?.0 as usize))
    }
}

/// The role `"B"` or `"C"`.
struct RoleName(Role);

impl<'py> FromPyObject<'_, 'py> for RoleName {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match obj.extract::<&str>()? {
            "B" => Ok(Self(Role::B)),
            "C" => Ok(Self(Role::C)),
            _ => Err(PyValueError::new_err("the role must be \"B\" or \"C\"")),
        }
    }
}

/// Use one instruction set in the whole process, for tests: "portable", "avx2", "avx512" or "best".
///
/// Returns False, and changes nothing, where this machine lacks it.
#[pyfunction]
fn set_path(name: &str) -> PyResult<bool> {
    let path = match name {
        "portable" => Path::Portable,
        "avx2" => Path::Avx2,
        "avx512" => Path::Avx512,
        "best" => Path::best(),
        _ => {
            let text = "the path must be \"portable\", \"avx2\", \"avx512\" or \"best\"";
            return Err(PyValueError::new_err(text));
        }
    };
    Ok(tacit_kernels::set_path(path))
}

/// The instruction set in use: "portable", "avx2" or "avx512".
#[pyfunction]
fn path() -> &'static str {
    match tacit_kernels::path() {
        Path::Portable => "portable",
        Path::Avx2 => "avx2",
        Path::Avx512 => "avx512",
    }
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    stream::register(module)?;
    ring::register(module)?;
    matmul::register(module)?;
    truncation::register(module)?;
    carry::register(module)?;
    bits::register(module)?;
    joint::register(module)?;
    wide::register(module)?;
    links::register(module)?;
    module.add_function(wrap_pyfunction!(set_path, module)?)?;
    module.add_function(wrap_pyfunction!(path, module)?)
}
