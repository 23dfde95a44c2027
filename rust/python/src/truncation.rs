//! The steps of a product with truncation.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use tacit_kernels::Factors;

use crate::arrays::{Array, Fields, Loan, Words, lend, or_empty};
use crate::stream::StreamKey;
use crate::{Bits, Nonce, RoleName, run};

/// The arrays of the factors, or of the product: five places, empty where an argument is None.
fn sources<'a>(shares: [Option<Words<'a>>; 4], z: Option<Words<'a>>) -> PyResult<[Array<'a>; 5]> {
    if z.is_none() && shares.iter().any(Option::is_none) {
        let text = "either z or all four shares of the factors are needed";
        return Err(PyTypeError::new_err(text));
    }
    let [x_own, x_next, y_own, y_next] = shares.map(|share| or_empty(share.map(|share| share.0)));
    Ok([x_own, x_next, y_own, y_next, or_empty(z.map(|z| z.0))])
}

fn factors<'a>(loans: [Loan<'a>; 5], product: bool) -> Factors<'a> {
    let [x_own, x_next, y_own, y_next, z] = loans.map(|loan| loan.words());
    if product { Factors::Product(z) } else { Factors::Shares([[x_own, x_next], [y_own, y_next]]) }
}

/// Call a generic kernel for the element type of a field argument.
macro_rules! with_field {
    ($item:expr, $type:ident => $call:expr) => {
        match $item {
            2 => {
                type $type = u16;
                $call
            }
            4 => {
                type $type = u32;
                $call
            }
            _ => {
                type $type = u64;
                $call
            }
        }
    };
}
pub(crate) use with_field;

pub(crate) fn same_field(first: usize, second: usize) -> PyResult<()> {
    if first == second {
        Ok(())
    } else {
        Err(PyValueError::new_err("field arrays differ in their element type"))
    }
}

/// Step 1, B and C: message = z - s or z + s - r, r_share = r >> m.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn truncation_mask(
    py: Python<'_>,
    role: RoleName,
    x_own: Option<Words<'_>>,
    x_next: Option<Words<'_>>,
    y_own: Option<Words<'_>>,
    y_next: Option<Words<'_>>,
    z: Option<Words<'_>>,
    key_bc: &StreamKey,
    nonce: Nonce,
    m: Bits,
    message: Words<'_>,
    r_share: Words<'_>,
) -> PyResult<()> {
    let product = z.is_some();
    let inputs = sources([x_own, x_next, y_own, y_next], z)?;
    let (inputs, [message, r_share]) = lend(inputs, [message.0, r_share.0])?;
    run(py, message.bytes(), || {
        let (factors, key) = (factors(inputs, product), &key_bc.0);
        let (message, r_share) = (message.words(), r_share.words());
        tacit_kernels::truncation_mask(role.0, factors, key, nonce.0, m.0, message, r_share)
    })
}

/// Step 2, A: open c; share_own, share_next, message and field follow from it.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn truncation_open(
    py: Python<'_>,
    x_own: Option<Words<'_>>,
    x_next: Option<Words<'_>>,
    y_own: Option<Words<'_>>,
    y_next: Option<Words<'_>>,
    z: Option<Words<'_>>,
    from_b: Words<'_>,
    from_c: Option<Words<'_>>,
    key_ab: &StreamKey,
    key_ca: &StreamKey,
    nonce: Nonce,
    m: Bits,
    share_own: Words<'_>,
    share_next: Words<'_>,
    message: Words<'_>,
    field: Fields<'_>,
) -> PyResult<()> {
    let product = z.is_some();
    let [i0, i1, i2, i3, i4] = sources([x_own, x_next, y_own, y_next], z)?;
    let (second, item) = (from_c.is_some(), field.item());
    let inputs = [i0, i1, i2, i3, i4, from_b.0, or_empty(from_c.map(|from_c| from_c.0))];
    let outputs = [share_own.0, share_next.0, message.0, field.0];
    let (inputs, [share_own, share_next, message, field]) = lend(inputs, outputs)?;
    let [i0, i1, i2, i3, i4, from_b, from_c] = inputs;
    run(py, message.bytes(), || {
        let factors = factors([i0, i1, i2, i3, i4], product);
        let (from_b, from_c) = (from_b.words(), second.then(|| from_c.words()));
        let keys = [&key_ab.0, &key_ca.0];
        let out = [share_own, share_next, message].map(|share| share.words());
        with_field!(item, F => {
            let field = field.slice::<F>();
            tacit_kernels::truncation_open(factors, from_b, from_c, keys, nonce.0, m.0, out, field)
        })
    })
}

/// Step 3, B: share_own = c_1 + w_1 2^(64-m), field = u_1 r_top - w_1.
#[pyfunction]
fn truncation_carry_b(
    py: Python<'_>,
    key_ab: &StreamKey,
    nonce: Nonce,
    m: Bits,
    r_share: Words<'_>,
    share_own: Words<'_>,
    field: Fields<'_>,
) -> PyResult<()> {
    let item = field.item();
    let ([r_share], [share_own, field]) = lend([r_share.0], [share_own.0, field.0])?;
    run(py, share_own.bytes(), || {
        let (r_share, share_own) = (r_share.words(), share_own.words());
        with_field!(item, F => {
            let field = field.slice::<F>();
            tacit_kernels::truncation_carry_b(&key_ab.0, nonce.0, m.0, r_share, share_own, field)
        })
    })
}

/// Step 3, C: share_next = message + w_0 2^(64-m), field = field_in r_top - w_0.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn truncation_carry_c(
    py: Python<'_>,
    message: Words<'_>,
    field_in: Fields<'_>,
    key_ca: &StreamKey,
    nonce: Nonce,
    m: Bits,
    r_share: Words<'_>,
    share_next: Words<'_>,
    field: Fields<'_>,
) -> PyResult<()> {
    let item = field.item();
    same_field(item, field_in.item())?;
    let inputs = [message.0, field_in.0, r_share.0];
    let (inputs, [share_next, field]) = lend(inputs, [share_next.0, field.0])?;
    let [message, field_in, r_share] = inputs;
    run(py, share_next.bytes(), || {
        let (message, r_share, share_next) = (message.words(), r_share.words(), share_next.words());
        let (key, nonce, m) = (&key_ca.0, nonce.0, m.0);
        with_field!(item, F => {
            let (field_in, field) = (field_in.slice::<F>(), field.slice::<F>());
            tacit_kernels::truncation_carry_c(
                message, field_in, key, nonce, m, r_share, share_next, field,
            )
        })
    })
}

/// Step 4, B and C: r_share += (field_1 + field_2) 2^(64-m) - 2^(62-m) + 1.
#[pyfunction]
fn truncation_finish(
    py: Python<'_>,
    field_1: Fields<'_>,
    field_2: Fields<'_>,
    m: Bits,
    r_share: Words<'_>,
) -> PyResult<()> {
    let item = field_1.item();
    same_field(item, field_2.item())?;
    let ([field_1, field_2], [r_share]) = lend([field_1.0, field_2.0], [r_share.0])?;
    run(py, r_share.bytes(), || {
        let r_share = r_share.words();
        with_field!(item, F => {
            let (field_1, field_2) = (field_1.slice::<F>(), field_2.slice::<F>());
            tacit_kernels::truncation_finish(field_1, field_2, m.0, r_share)
        })
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(truncation_mask, module)?)?;
    module.add_function(wrap_pyfunction!(truncation_open, module)?)?;
    module.add_function(wrap_pyfunction!(truncation_carry_b, module)?)?;
    module.add_function(wrap_pyfunction!(truncation_carry_c, module)?)?;
    module.add_function(wrap_pyfunction!(truncation_finish, module)?)
}
