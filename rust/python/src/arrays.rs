//! NumPy arrays as slices: the one place where the memory of Python objects is touched.
//!
//! Arguments are extracted into [`Array`], which checks type and layout, and become slices only
//! through [`lend`], which checks that no output overlaps anything else. Python keeps the arrays
//! alive for the length of the call. As everywhere in NumPy, a thread that writes to an array
//! while another one's kernel reads it gets undefined elements.

use std::marker::PhantomData;

use bytemuck::Pod;
use numpy::npyffi::{self, NPY_TYPES};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The most dimensions of a contiguous argument that a kernel looks at.
const DIMENSIONS: usize = 3;

/// A C-contiguous, aligned array of integers in native byte order.
#[derive(Clone, Copy)]
pub struct Array<'a> {
    data: *mut u8,
    len: usize,
    item: usize,
    signed: bool,
    dimensions: usize,
    shape: [usize; DIMENSIONS],
    writeable: bool,
    lifetime: PhantomData<&'a [u8]>,
}

fn fields<'a>(array: Borrowed<'a, '_, PyUntypedArray>) -> &'a npyffi::PyArrayObject_fields {
    // SAFETY: the object is an array, whose fields NumPy does not change while we hold the GIL
    // and a reference.
    unsafe { &(*array.as_array_ptr()).fields }
}

/// Size and signedness of an integer type in native byte order.
fn integer(array: Borrowed<'_, '_, PyUntypedArray>) -> Option<(usize, bool)> {
    use std::ffi::{c_int, c_long, c_longlong, c_short};
    let descr = array.dtype();
    let number = descr.num();
    let is = |types: [NPY_TYPES; 2]| types.iter().position(|t| *t as i32 == number);
    let (size, signed) = if let Some(signed) = is([NPY_TYPES::NPY_ULONG, NPY_TYPES::NPY_LONG]) {
        (size_of::<c_long>(), signed)
    } else if let Some(signed) = is([NPY_TYPES::NPY_UINT, NPY_TYPES::NPY_INT]) {
        (size_of::<c_int>(), signed)
    } else if let Some(signed) = is([NPY_TYPES::NPY_USHORT, NPY_TYPES::NPY_SHORT]) {
        (size_of::<c_short>(), signed)
    } else if let Some(signed) = is([NPY_TYPES::NPY_UBYTE, NPY_TYPES::NPY_BYTE]) {
        (1, signed)
    } else if let Some(signed) = is([NPY_TYPES::NPY_ULONGLONG, NPY_TYPES::NPY_LONGLONG]) {
        (size_of::<c_longlong>(), signed)
    } else {
        return None;
    };
    (descr.is_native_byteorder() != Some(false)).then_some((size, signed == 1))
}

impl<'a, 'py> FromPyObject<'a, 'py> for Array<'a> {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let Ok(array) = obj.cast::<PyUntypedArray>() else {
            return Err(PyTypeError::new_err("expected a NumPy array"));
        };
        let Some((item, signed)) = integer(array) else {
            let text = "expected an array of integers in native byte order";
            return Err(PyTypeError::new_err(text));
        };
        if !array.is_c_contiguous() {
            return Err(PyValueError::new_err("the array must be C-contiguous"));
        }
        let fields = fields(array);
        if !fields.data.cast::<u8>().addr().is_multiple_of(item) {
            return Err(PyValueError::new_err("the array's memory is not aligned to its elements"));
        }
        let dimensions = array.shape();
        let mut shape = [0; DIMENSIONS];
        for (size, dimension) in shape.iter_mut().zip(dimensions) {
            *size = *dimension;
        }
        Ok(Self {
            data: fields.data.cast(),
            len: dimensions.iter().product(),
            item,
            signed,
            dimensions: dimensions.len(),
            shape,
            writeable: fields.flags & npyffi::NPY_ARRAY_WRITEABLE != 0,
            lifetime: PhantomData,
        })
    }
}

impl Array<'_> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    fn bytes(&self) -> usize {
        self.len * self.item
    }

    fn is_words(&self) -> bool {
        self.item == 8 && !self.signed
    }
}

macro_rules! argument {
    ($(#[$meta:meta])* $name:ident, $test:expr, $type_text:literal, $dimensions:expr, $text:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub struct $name<'a>(pub Array<'a>);

        impl<'a, 'py> FromPyObject<'a, 'py> for $name<'a> {
            type Error = PyErr;

            fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                let array: Array<'a> = obj.extract()?;
                if !$test(&array) {
                    return Err(PyTypeError::new_err($type_text));
                }
                if array.dimensions != $dimensions {
                    return Err(PyValueError::new_err($text));
                }
                Ok(Self(array))
            }
        }
    };
}

argument!(
    /// A vector of uint64.
    Words, Array::is_words, "expected an array of uint64",
    1, "expected an array of one dimension"
);
argument!(
    /// A matrix of uint64.
    Rows, Array::is_words, "expected an array of uint64",
    2, "expected an array of two dimensions"
);
argument!(
    /// Bit planes: uint64 of shape (blocks, planes, width).
    Blocks, Array::is_words, "expected an array of uint64",
    3, "expected an array of three dimensions"
);
argument!(
    /// A vector of field elements: uint16, uint32 or uint64.
    Fields, |array: &Array<'_>| array.item > 1 && !array.signed,
    "expected an array of uint16, uint32 or uint64",
    1, "expected an array of one dimension"
);

impl Fields<'_> {
    /// The size of an element in bytes.
    pub fn item(&self) -> usize {
        self.0.item
    }
}

/// An array that may be read for the length of the call.
#[derive(Clone, Copy)]
pub struct Loan<'a>(Array<'a>);

/// An array that is ours alone for the length of the call.
pub struct LoanMut<'a>(Array<'a>);

// SAFETY: a loan stands for a shared slice of integers, whose owner outlives the call.
unsafe impl Send for Loan<'_> {}
// SAFETY: as above; a shared slice of integers may be read from several threads.
unsafe impl Sync for Loan<'_> {}
// SAFETY: a loan stands for an exclusive slice of integers, whose owner outlives the call.
unsafe impl Send for LoanMut<'_> {}

/// Check that the outputs are writeable and overlap neither each other nor an input.
pub fn lend<'a, const N: usize, const M: usize>(
    inputs: [Array<'a>; N],
    outputs: [Array<'a>; M],
) -> PyResult<([Loan<'a>; N], [LoanMut<'a>; M])> {
    check(&inputs, &outputs)?;
    Ok((inputs.map(Loan), outputs.map(LoanMut)))
}

/// [`lend`] for any number of inputs.
pub fn lend_all<'a, const M: usize>(
    inputs: &[Array<'a>],
    outputs: [Array<'a>; M],
) -> PyResult<(Vec<Loan<'a>>, [LoanMut<'a>; M])> {
    check(inputs, &outputs)?;
    Ok((inputs.iter().copied().map(Loan).collect(), outputs.map(LoanMut)))
}

fn check(inputs: &[Array<'_>], outputs: &[Array<'_>]) -> PyResult<()> {
    let range = |array: &Array<'_>| (array.data.addr(), array.data.addr() + array.bytes());
    for (i, output) in outputs.iter().enumerate() {
        if !output.writeable {
            return Err(PyValueError::new_err("an output array is read-only"));
        }
        let (start, end) = range(output);
        let overlaps = |other: &Array<'_>| {
            let (from, to) = range(other);
            start < to && from < end && start < end && from < to
        };
        if inputs.iter().any(overlaps) || outputs[..i].iter().any(overlaps) {
            return Err(PyValueError::new_err("an output array overlaps another argument"));
        }
    }
    Ok(())
}

/// An optional array for [`lend`]: nothing is an empty one.
pub fn or_empty<'a>(array: Option<Array<'a>>) -> Array<'a> {
    array.unwrap_or(Array {
        data: std::ptr::dangling_mut::<u64>().cast(),
        len: 0,
        item: 8,
        signed: false,
        dimensions: 1,
        shape: [0; DIMENSIONS],
        writeable: false,
        lifetime: PhantomData,
    })
}

impl<'a> Loan<'a> {
    /// The elements; `T` has the size of one.
    pub fn slice<T: Pod>(self) -> &'a [T] {
        let Array { data, len, item, .. } = self.0;
        assert!(size_of::<T>() == item && align_of::<T>() <= item);
        if len == 0 {
            return &[];
        }
        // SAFETY: NumPy owns `len` contiguous elements at `data`, checked to be aligned, of a
        // type without invalid values; `lend` checked that nothing lent for writing overlaps.
        unsafe { std::slice::from_raw_parts(data.cast(), len) }
    }

    /// The elements as words.
    pub fn words(self) -> &'a [u64] {
        self.slice()
    }

    /// The elements as bit planes.
    pub fn planes(self) -> tacit_kernels::Planes<'a> {
        tacit_kernels::Planes { words: self.words(), shape: self.0.shape }
    }
}

impl<'a> LoanMut<'a> {
    /// The number of bytes.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// The elements; `T` has the size of one, or is a byte.
    pub fn slice<T: Pod>(self) -> &'a mut [T] {
        let Array { data, len, item, .. } = self.0;
        let len = if size_of::<T>() == 1 { len * item } else { len };
        assert!(size_of::<T>() == 1 || size_of::<T>() == item && align_of::<T>() <= item);
        if len == 0 {
            return &mut [];
        }
        // SAFETY: NumPy owns `len` contiguous elements at `data`, checked to be aligned and
        // writeable, of a type without invalid values; `lend` checked that no other loan
        // overlaps, and this call consumes the only one.
        unsafe { std::slice::from_raw_parts_mut(data.cast(), len) }
    }

    /// The elements as words.
    pub fn words(self) -> &'a mut [u64] {
        self.slice()
    }

    /// The elements as bit planes.
    pub fn planes(self) -> tacit_kernels::PlanesMut<'a> {
        let shape = self.0.shape;
        tacit_kernels::PlanesMut { words: self.words(), shape }
    }
}

impl Rows<'_> {
    /// The shape.
    pub fn shape(&self) -> [usize; 2] {
        [self.0.shape[0], self.0.shape[1]]
    }
}

/// A strided array of uint64 with two or more dimensions.
#[derive(Clone, Copy)]
pub struct Strided<'a> {
    /// The sizes of the dimensions.
    pub shape: &'a [usize],
    /// Strides in elements.
    pub strides: [isize; 32],
    /// The first element's place in the lent slice.
    pub offset: usize,
    span: Array<'a>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Strided<'a> {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let Ok(array) = obj.cast::<PyUntypedArray>() else {
            return Err(PyTypeError::new_err("expected a NumPy array"));
        };
        if integer(array) != Some((8, false)) {
            return Err(PyTypeError::new_err("expected an array of uint64"));
        }
        let fields = fields(array);
        #[allow(clippy::cast_sign_loss)]
        let dimensions = fields.nd as usize;
        if !(2..=32).contains(&dimensions) {
            return Err(PyValueError::new_err("expected an array of 2 to 32 dimensions"));
        }
        // SAFETY: NumPy keeps `nd` sizes and strides, which live as long as the array keeps its
        // shape; nobody assigns to the shape of an array that another thread's call uses.
        let (shape, steps) = unsafe {
            let sizes = fields.dimensions.cast::<usize>();
            let steps = fields.strides.cast::<isize>();
            (
                std::slice::from_raw_parts(sizes, dimensions),
                std::slice::from_raw_parts(steps, dimensions),
            )
        };
        let data: *mut u64 = fields.data.cast();
        let (mut strides, mut low, mut high) = ([0; 32], 0isize, 0isize);
        for d in 0..dimensions {
            strides[d] = steps[d] / 8;
            if shape[d] > 1 {
                if steps[d] % 8 != 0 {
                    return Err(PyValueError::new_err("the strides must be whole elements"));
                }
                let reach = strides[d] * (shape[d].cast_signed() - 1);
                low += reach.min(0);
                high += reach.max(0);
            }
        }
        if !data.addr().is_multiple_of(8) {
            return Err(PyValueError::new_err("the array's memory is not aligned to its elements"));
        }
        let empty = shape.contains(&0);
        let span = Array {
            data: data.wrapping_offset(if empty { 0 } else { low }).cast(),
            len: if empty { 0 } else { (high - low).unsigned_abs() + 1 },
            item: 8,
            signed: false,
            dimensions: 1,
            shape: [0; DIMENSIONS],
            writeable: fields.flags & npyffi::NPY_ARRAY_WRITEABLE != 0,
            lifetime: PhantomData,
        };
        Ok(Self { shape, strides, offset: if empty { 0 } else { low.unsigned_abs() }, span })
    }
}

impl<'a> Strided<'a> {
    /// From the first to the last element in memory.
    pub fn span(&self) -> Array<'a> {
        self.span
    }
}
