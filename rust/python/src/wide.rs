//! The kernels over Z_2^128. An element is two words; its arrays arrive here as vectors of words.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use tacit_kernels::Mismatch;
use tacit_kernels::wide::{self, Factors, Operation, Wide};

use crate::arrays::{Array, Blocks, Fields, Loan, LoanMut, Words, lend, or_empty};
use crate::stream::StreamKey;
use crate::{Bits, Count, Lane, Nonce, RoleName, run};

const ODD: Mismatch = Mismatch("an array of elements of 128 bits has an even number of words");

pub fn read(loan: Loan<'_>) -> Result<&[Wide], Mismatch> {
    match loan.words().as_chunks() {
        (elements, []) => Ok(elements),
        _ => Err(ODD),
    }
}

pub fn write(loan: LoanMut<'_>) -> Result<&mut [Wide], Mismatch> {
    match loan.words().as_chunks_mut() {
        (elements, []) => Ok(elements),
        _ => Err(ODD),
    }
}

/// out = a + b, a - b or a · b; an operand of one element stands for all.
#[pyfunction]
fn wide_combine(
    py: Python<'_>,
    operation: &str,
    a: Words<'_>,
    b: Words<'_>,
    out: Words<'_>,
) -> PyResult<()> {
    let operation = match operation {
        "add" => Operation::Add,
        "subtract" => Operation::Subtract,
        "multiply" => Operation::Multiply,
        _ => return Err(PyValueError::new_err("expected \"add\", \"subtract\" or \"multiply\"")),
    };
    let ([a, b], [out]) = lend([a.0, b.0], [out.0])?;
    run(py, out.bytes(), || wide::combine(operation, read(a)?, read(b)?, write(out)?))
}

/// out = a · 2^bits.
#[pyfunction]
fn wide_shift_left(py: Python<'_>, a: Words<'_>, bits: Bits, out: Words<'_>) -> PyResult<()> {
    let ([a], [out]) = lend([a.0], [out.0])?;
    run(py, out.bytes(), || wide::shift_left(read(a)?, bits.0, write(out)?))
}

/// out = floor(a / 2^bits) for signed numbers.
#[pyfunction]
fn wide_shift_right(py: Python<'_>, a: Words<'_>, bits: Bits, out: Words<'_>) -> PyResult<()> {
    let ([a], [out]) = lend([a.0], [out.0])?;
    run(py, out.bytes(), || wide::shift_right(read(a)?, bits.0, write(out)?))
}

/// Sums over the middle axis of a, (outer, n, inner).
#[pyfunction]
fn wide_sum(py: Python<'_>, a: Words<'_>, n: Count, inner: Count, out: Words<'_>) -> PyResult<()> {
    let ([a], [out]) = lend([a.0], [out.0])?;
    run(py, out.bytes(), || wide::sums(read(a)?, n.0, inner.0, write(out)?))
}

/// Sums so far along the middle axis of (outer, n, inner), in place.
#[pyfunction]
fn wide_cumulative_sum(py: Python<'_>, a: Words<'_>, n: Count, inner: Count) -> PyResult<()> {
    let ([], [a]) = lend([], [a.0])?;
    run(py, a.bytes(), || wide::cumulative_sums(write(a)?, n.0, inner.0))
}

/// Whole numbers as elements; the float64 arrive as their words.
#[pyfunction]
fn wide_from_floats(py: Python<'_>, values: Words<'_>, out: Words<'_>) -> PyResult<()> {
    let ([values], [out]) = lend([values.0], [out.0])?;
    run(py, out.bytes(), || wide::from_floats(bytemuck::cast_slice(values.words()), write(out)?))
}

/// Elements as float64, which leave as their words.
#[pyfunction]
fn wide_to_floats(py: Python<'_>, a: Words<'_>, out: Words<'_>) -> PyResult<()> {
    let ([a], [out]) = lend([a.0], [out.0])?;
    run(py, out.bytes(), || wide::to_floats(read(a)?, bytemuck::cast_slice_mut(out.words())))
}

/// out += a b, for a (m, k) and b (k, n), both flat.
#[pyfunction]
fn wide_matmul(
    py: Python<'_>,
    a: Words<'_>,
    b: Words<'_>,
    k: Count,
    out: Words<'_>,
) -> PyResult<()> {
    let ([a, b], [out]) = lend([a.0, b.0], [out.0])?;
    let work = out.bytes().saturating_mul(k.0);
    run(py, work, || wide::matmul(read(a)?, read(b)?, k.0, write(out)?))
}

/// The local terms of x·y.
#[pyfunction]
fn wide_cross_terms(
    py: Python<'_>,
    x_own: Words<'_>,
    x_next: Words<'_>,
    y_own: Words<'_>,
    y_next: Words<'_>,
    out: Words<'_>,
) -> PyResult<()> {
    let ([x_own, x_next, y_own, y_next], [out]) =
        lend([x_own.0, x_next.0, y_own.0, y_next.0], [out.0])?;
    run(py, out.bytes(), || {
        let pairs = [[read(x_own)?, read(x_next)?], [read(y_own)?, read(y_next)?]];
        wide::cross_terms(pairs, write(out)?)
    })
}

/// The local terms of x·y plus F(key_own) - F(key_next).
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_multiply_share(
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
    let ([x_own, x_next, y_own, y_next], [out]) =
        lend([x_own.0, x_next.0, y_own.0, y_next.0], [out.0])?;
    let keys = [&key_own.0, &key_next.0];
    run(py, out.bytes(), || {
        let pairs = [[read(x_own)?, read(x_next)?], [read(y_own)?, read(y_next)?]];
        wide::multiply_share(pairs, keys, nonce.0, lane.0, write(out)?)
    })
}

/// z += F(key_own) - F(key_next).
#[pyfunction]
fn wide_add_zero_share(
    py: Python<'_>,
    z: Words<'_>,
    key_own: &StreamKey,
    key_next: &StreamKey,
    nonce: Nonce,
    lane: Lane,
) -> PyResult<()> {
    let ([], [z]) = lend([], [z.0])?;
    run(py, z.bytes(), || {
        wide::add_zero_share(write(z)?, [&key_own.0, &key_next.0], nonce.0, lane.0);
        Ok(())
    })
}

/// The arrays of the factors, or of the product: five places, empty where an argument is None.
fn sources<'a>(shares: [Option<Words<'a>>; 4], z: Option<Words<'a>>) -> PyResult<[Array<'a>; 5]> {
    if z.is_none() && shares.iter().any(Option::is_none) {
        let text = "either z or all four shares of the factors are needed";
        return Err(PyTypeError::new_err(text));
    }
    let [x_own, x_next, y_own, y_next] = shares.map(|share| or_empty(share.map(|share| share.0)));
    Ok([x_own, x_next, y_own, y_next, or_empty(z.map(|z| z.0))])
}

fn factors(loans: [Loan<'_>; 5], product: bool) -> Result<Factors<'_>, Mismatch> {
    let [x_own, x_next, y_own, y_next, z] = loans;
    Ok(if product {
        Factors::Product(read(z)?)
    } else {
        Factors::Shares([[read(x_own)?, read(x_next)?], [read(y_own)?, read(y_next)?]])
    })
}

/// What a field argument holds: words of 2, 4 or 8 bytes, or elements, two words each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FieldType {
    item: usize,
    elements: bool,
}

impl FieldType {
    /// The type of fields of which `first` has one for each of the elements of `like`.
    fn new(first: Fields<'_>, others: &[Fields<'_>], like: Words<'_>) -> PyResult<Self> {
        let item = first.item();
        if others.iter().any(|other| other.item() != item) {
            return Err(PyValueError::new_err("field arrays differ in their element type"));
        }
        Ok(Self { item, elements: item == 8 && first.0.len() == like.0.len() })
    }
}

/// Call a generic kernel for the element type of a field argument.
macro_rules! with_field {
    ($field:expr, $type:ident => $call:expr) => {
        match ($field.item, $field.elements) {
            (_, true) => {
                type $type = Wide;
                $call
            }
            (2, _) => {
                type $type = u16;
                $call
            }
            (4, _) => {
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

fn read_field<F: wide::Field>(loan: Loan<'_>) -> Result<&[F], Mismatch> {
    if size_of::<F>() == 16 { Ok(bytemuck::cast_slice(read(loan)?)) } else { Ok(loan.slice()) }
}

fn write_field<F: wide::Field>(loan: LoanMut<'_>) -> Result<&mut [F], Mismatch> {
    if size_of::<F>() == 16 { Ok(bytemuck::cast_slice_mut(write(loan)?)) } else { Ok(loan.slice()) }
}

/// Step 1, B and C: message = z - s or z + s - r, r_share = r >> m.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_truncation_mask(
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
        let factors = factors(inputs, product)?;
        let (message, r_share) = (write(message)?, write(r_share)?);
        wide::truncation_mask(role.0, factors, &key_bc.0, nonce.0, m.0, message, r_share)
    })
}

/// Step 2, A: open c; share_own, share_next, message and field follow from it.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_truncation_open(
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
    let (second, kind) = (from_c.is_some(), FieldType::new(field, &[], message)?);
    let inputs = [i0, i1, i2, i3, i4, from_b.0, or_empty(from_c.map(|from_c| from_c.0))];
    let outputs = [share_own.0, share_next.0, message.0, field.0];
    let (inputs, [share_own, share_next, message, field]) = lend(inputs, outputs)?;
    let [i0, i1, i2, i3, i4, from_b, from_c] = inputs;
    run(py, message.bytes(), || {
        let factors = factors([i0, i1, i2, i3, i4], product)?;
        let from_c = if second { Some(read(from_c)?) } else { None };
        let (from_b, keys) = (read(from_b)?, [&key_ab.0, &key_ca.0]);
        let out = [write(share_own)?, write(share_next)?, write(message)?];
        with_field!(kind, F => {
            let field = write_field::<F>(field)?;
            wide::truncation_open(factors, from_b, from_c, keys, nonce.0, m.0, out, field)
        })
    })
}

/// Step 3, B: share_own = c_1 + w_1 2^(128-m), field = u_1 r_top - w_1.
#[pyfunction]
fn wide_truncation_carry_b(
    py: Python<'_>,
    key_ab: &StreamKey,
    nonce: Nonce,
    m: Bits,
    r_share: Words<'_>,
    share_own: Words<'_>,
    field: Fields<'_>,
) -> PyResult<()> {
    let kind = FieldType::new(field, &[], share_own)?;
    let ([r_share], [share_own, field]) = lend([r_share.0], [share_own.0, field.0])?;
    run(py, share_own.bytes(), || {
        let (r_share, share_own) = (read(r_share)?, write(share_own)?);
        with_field!(kind, F => {
            let field = write_field::<F>(field)?;
            wide::truncation_carry_b(&key_ab.0, nonce.0, m.0, r_share, share_own, field)
        })
    })
}

/// Step 3, C: share_next = message + w_0 2^(128-m), field = field_in r_top - w_0.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_truncation_carry_c(
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
    let kind = FieldType::new(field, &[field_in], share_next)?;
    let inputs = [message.0, field_in.0, r_share.0];
    let (inputs, [share_next, field]) = lend(inputs, [share_next.0, field.0])?;
    let [message, field_in, r_share] = inputs;
    run(py, share_next.bytes(), || {
        let (message, r_share, next) = (read(message)?, read(r_share)?, write(share_next)?);
        let (key, nonce, m) = (&key_ca.0, nonce.0, m.0);
        with_field!(kind, F => {
            let (given, field) = (read_field::<F>(field_in)?, write_field::<F>(field)?);
            wide::truncation_carry_c(message, given, key, nonce, m, r_share, next, field)
        })
    })
}

/// Step 4, B and C: r_share += (field_1 + field_2) 2^(128-m) - 2^(126-m) + 1.
#[pyfunction]
fn wide_truncation_finish(
    py: Python<'_>,
    field_1: Fields<'_>,
    field_2: Fields<'_>,
    m: Bits,
    r_share: Words<'_>,
) -> PyResult<()> {
    let kind = FieldType::new(field_1, &[field_2], r_share)?;
    let ([field_1, field_2], [r_share]) = lend([field_1.0, field_2.0], [r_share.0])?;
    run(py, r_share.bytes(), || {
        let r_share = write(r_share)?;
        with_field!(kind, F => {
            let (field_1, field_2) = (read_field::<F>(field_1)?, read_field::<F>(field_2)?);
            wide::truncation_finish(field_1, field_2, m.0, r_share)
        })
    })
}

/// A: share the monomials of s = x_own + x_next between B and C.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_carry_monomials(
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
        wide::carry_monomials(
            [read(x_own)?, read(x_next)?],
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
fn wide_carry_generate(
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
        wide::carry_generate(
            role.0,
            read(t)?,
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

/// A: share beta·s and beta, beta the bits b_own ^ b_next.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_inject_send(
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
    let (inputs, [message, y_own, y_next]) = lend(inputs, [message.0, y_own.0, y_next.0])?;
    let [x_own, x_next, b_own, b_next] = inputs;
    let keys = [&key_ca.0, &key_ab.0];
    run(py, message.bytes(), || {
        let outputs = [write(message)?, write(y_own)?, write(y_next)?];
        let (x, b) = ([read(x_own)?, read(x_next)?], [b_own.words(), b_next.words()]);
        wide::inject_send(x, b, keys, nonce.0, outputs)
    })
}

/// B and C: the additive share of (beta ^ q) x, minus y.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_inject_combine(
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
    let ([t, x_side, q, message], [out, y]) = lend(inputs, [out.0, y.0])?;
    run(py, out.bytes(), || {
        let message = if received { Some(read(message)?) } else { None };
        let (t, x_side, q) = (read(t)?, read(x_side)?, q.words());
        let (out, y) = (write(out)?, write(y)?);
        wide::inject_combine(role.0, t, x_side, q, message, &key.0, nonce.0, out, y)
    })
}

/// A: share the bits b_own ^ b_next as ring integers.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_bits_send(
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
    let inputs = [b_own.0, b_next.0];
    let (inputs, [message, y_own, y_next]) = lend(inputs, [message.0, y_own.0, y_next.0])?;
    let b = inputs.map(|input| input.words());
    run(py, message.bytes(), || {
        let outputs = [write(message)?, write(y_own)?, write(y_next)?];
        wide::bits_send(b, [&key_ca.0, &key_ab.0], nonce.0, outputs)
    })
}

/// B and C: the additive share of beta ^ q as an integer, minus y.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn wide_bits_combine(
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
    let ([q, message], [out, y]) = lend(inputs, [out.0, y.0])?;
    run(py, out.bytes(), || {
        let message = if received { Some(read(message)?) } else { None };
        let (out, y) = (write(out)?, write(y)?);
        wide::bits_combine(role.0, q.words(), message, &key.0, nonce.0, out, y)
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(wide_combine, module)?)?;
    module.add_function(wrap_pyfunction!(wide_shift_left, module)?)?;
    module.add_function(wrap_pyfunction!(wide_shift_right, module)?)?;
    module.add_function(wrap_pyfunction!(wide_sum, module)?)?;
    module.add_function(wrap_pyfunction!(wide_cumulative_sum, module)?)?;
    module.add_function(wrap_pyfunction!(wide_from_floats, module)?)?;
    module.add_function(wrap_pyfunction!(wide_to_floats, module)?)?;
    module.add_function(wrap_pyfunction!(wide_matmul, module)?)?;
    module.add_function(wrap_pyfunction!(wide_cross_terms, module)?)?;
    module.add_function(wrap_pyfunction!(wide_multiply_share, module)?)?;
    module.add_function(wrap_pyfunction!(wide_add_zero_share, module)?)?;
    module.add_function(wrap_pyfunction!(wide_truncation_mask, module)?)?;
    module.add_function(wrap_pyfunction!(wide_truncation_open, module)?)?;
    module.add_function(wrap_pyfunction!(wide_truncation_carry_b, module)?)?;
    module.add_function(wrap_pyfunction!(wide_truncation_carry_c, module)?)?;
    module.add_function(wrap_pyfunction!(wide_truncation_finish, module)?)?;
    module.add_function(wrap_pyfunction!(wide_carry_monomials, module)?)?;
    module.add_function(wrap_pyfunction!(wide_carry_generate, module)?)?;
    module.add_function(wrap_pyfunction!(wide_inject_send, module)?)?;
    module.add_function(wrap_pyfunction!(wide_inject_combine, module)?)?;
    module.add_function(wrap_pyfunction!(wide_bits_send, module)?)?;
    module.add_function(wrap_pyfunction!(wide_bits_combine, module)?)
}
