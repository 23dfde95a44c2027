//! Matrix products: broadcasting of leading dimensions, then one product after another.

use numpy::PyArrayDyn;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tacit_kernels::{Matrix, MatrixMut, Mismatch};

use crate::arrays::{Strided, lend};
use crate::{Count, run};

const MISFIT: &str = "the shapes do not fit a matrix product";

/// The shape of `a @ b`.
fn product_shape(a: &[usize], b: &[usize]) -> PyResult<Vec<usize>> {
    let (a_batch, b_batch) = (&a[..a.len() - 2], &b[..b.len() - 2]);
    let batch = a_batch.len().max(b_batch.len());
    let size = |shape: &[usize], d: usize| match (d + shape.len()).checked_sub(batch) {
        Some(d) => shape[d],
        None => 1,
    };
    let mut shape = Vec::with_capacity(batch + 2);
    for d in 0..batch {
        match (size(a_batch, d), size(b_batch, d)) {
            (1, other) | (other, 1) => shape.push(other),
            (x, y) if x == y => shape.push(x),
            _ => return Err(PyValueError::new_err("the leading dimensions cannot be broadcast")),
        }
    }
    if a[a.len() - 1] != b[b.len() - 2] {
        return Err(PyValueError::new_err(MISFIT));
    }
    shape.extend([a[a.len() - 2], b[b.len() - 1]]);
    Ok(shape)
}

/// Whether two elements may share a place.
fn overlaps_itself(array: &Strided<'_>) -> bool {
    if array.shape.contains(&0) {
        return false;
    }
    let mut steps: Vec<_> = (0..array.shape.len())
        .filter(|&d| array.shape[d] > 1)
        .map(|d| (array.strides[d].unsigned_abs(), array.shape[d] - 1))
        .collect();
    steps.sort_unstable();
    let mut reach = 0;
    steps.into_iter().any(|(stride, steps)| {
        let overlap = stride <= reach;
        reach += stride * steps;
        overlap
    })
}

/// The strides of an operand along the leading dimensions of the product: 0 where it repeats.
fn batch_strides(array: &Strided<'_>, batch: usize) -> Vec<isize> {
    let own = array.shape.len() - 2;
    (0..batch)
        .map(|d| match (d + own).checked_sub(batch) {
            Some(d) if array.shape[d] > 1 => array.strides[d],
            _ => 0,
        })
        .collect()
}

fn last<T: Copy>(values: &[T]) -> [T; 2] {
    [values[values.len() - 2], values[values.len() - 1]]
}

/// Product (…, m, k) @ (…, k, n) mod 2^64; returns out, or a new array.
#[pyfunction]
#[pyo3(signature = (a, b, *, out=None, accumulate=false, threads=Count(1)),
    text_signature = "(a, b, *, out=None, accumulate=False, threads=1)")]
fn matmul<'py>(
    py: Python<'py>,
    a: Strided<'_>,
    b: Strided<'_>,
    out: Option<Bound<'py, PyAny>>,
    accumulate: bool,
    threads: Count,
) -> PyResult<Bound<'py, PyAny>> {
    if threads.0 == 0 {
        return Err(PyValueError::new_err("threads must be at least 1"));
    }
    let shape = product_shape(a.shape, b.shape)?;
    let (out, fresh) = match out {
        Some(out) => (out, false),
        None => (PyArrayDyn::<u64>::zeros(py, &shape[..], false).into_any(), true),
    };
    let c: Strided<'_> = out.extract()?;
    if c.shape != shape {
        return Err(PyValueError::new_err("out does not have the shape of the product"));
    }
    if overlaps_itself(&c) {
        return Err(PyValueError::new_err("elements of out overlap"));
    }
    let batch = shape.len() - 2;
    let strides = [&a, &b, &c].map(|array| batch_strides(array, batch));
    let sizes = [&a, &b, &c].map(|array| last(array.shape));
    let steps = [&a, &b, &c].map(|array| last(&array.strides[..array.shape.len()]));
    let starts = [a.offset, b.offset, c.offset];
    let ([a, b], [c]) = lend([a.span(), b.span()], [c.span()])?;
    let work = shape.iter().product::<usize>().saturating_mul(sizes[0][1].max(1)) * 8;
    run(py, work, || {
        let (a, b, c) = (a.words(), b.words(), c.words());
        for_each(&shape[..batch], |index| {
            let mut at = starts;
            for (at, strides) in at.iter_mut().zip(&strides) {
                for (i, stride) in index.iter().zip(strides) {
                    *at = at.wrapping_add_signed(i.cast_signed() * stride);
                }
            }
            let left = Matrix::new(a, at[0], sizes[0], steps[0])?;
            let right = Matrix::new(b, at[1], sizes[1], steps[1])?;
            let result = MatrixMut::new(&mut *c, at[2], sizes[2], steps[2])?;
            tacit_kernels::matmul(left, right, result, accumulate || fresh, threads.0)
        })
    })?;
    Ok(out)
}

/// Call `f` for every index into an array of this shape.
fn for_each(
    shape: &[usize],
    mut f: impl FnMut(&[usize]) -> Result<(), Mismatch>,
) -> Result<(), Mismatch> {
    if shape.contains(&0) {
        return Ok(());
    }
    let mut index = vec![0; shape.len()];
    loop {
        f(&index)?;
        let Some(d) = (0..shape.len()).rev().find(|&d| index[d] + 1 < shape[d]) else {
            return Ok(());
        };
        index[d] += 1;
        index[d + 1..].fill(0);
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(matmul, module)?)
}
