//! Strided views of matrices, and the product of two of them put into a standard form.

use crate::Mismatch;

/// A matrix within a slice: element (i, j) is at `offset + i row_stride + j col_stride`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [u64],
    offset: usize,
    pub(super) shape: [usize; 2],
    strides: [isize; 2],
}

/// A matrix within a slice, to be written; no two elements share a place.
pub struct MatrixMut<'a> {
    data: &'a mut [u64],
    offset: usize,
    pub(super) shape: [usize; 2],
    strides: [isize; 2],
}

/// Whether the first and the last element in each direction lie within `length` elements.
fn inside(length: usize, offset: usize, shape: [usize; 2], strides: [isize; 2]) -> bool {
    if shape.contains(&0) {
        return true;
    }
    let (mut low, mut high) = (offset as i128, offset as i128);
    for (size, stride) in shape.into_iter().zip(strides) {
        let reach = (size as i128 - 1) * stride as i128;
        low += reach.min(0);
        high += reach.max(0);
    }
    low >= 0 && high < length as i128
}

impl<'a> Matrix<'a> {
    /// View `shape` elements of `data` with strides in elements, which may be 0 or negative.
    ///
    /// # Errors
    /// If an element lies outside `data`.
    pub fn new(
        data: &'a [u64],
        offset: usize,
        shape: [usize; 2],
        strides: [isize; 2],
    ) -> Result<Self, Mismatch> {
        if inside(data.len(), offset, shape, strides) {
            Ok(Self { data, offset, shape, strides })
        } else {
            Err(Mismatch("a matrix reaches beyond its array"))
        }
    }

    /// The element (i, j).
    #[inline(always)]
    pub(super) fn at(&self, i: usize, j: usize) -> u64 {
        self.data[self.position(i, j)]
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_wrap)]
    fn position(&self, i: usize, j: usize) -> usize {
        let [row, col] = self.strides;
        self.offset.wrapping_add_signed(i as isize * row + j as isize * col)
    }

    /// `length` elements of row i from column j on, if they are contiguous.
    #[inline(always)]
    pub(super) fn row(&self, i: usize, j: usize, length: usize) -> Option<&'a [u64]> {
        (self.strides[1] == 1).then(|| &self.data[self.position(i, j)..][..length])
    }

    /// The transposed view.
    pub(super) fn transposed(self) -> Self {
        let ([m, n], [row, col]) = (self.shape, self.strides);
        Self { shape: [n, m], strides: [col, row], ..self }
    }

    /// Rows `from..to`; at least one.
    pub(super) fn rows(self, from: usize, to: usize) -> Self {
        Self { offset: self.position(from, 0), shape: [to - from, self.shape[1]], ..self }
    }

    /// The same rows in reverse order.
    fn reversed(self) -> Self {
        if self.shape[0] == 0 {
            return self;
        }
        let offset = self.position(self.shape[0] - 1, 0);
        Self { offset, strides: [-self.strides[0], self.strides[1]], ..self }
    }
}

impl<'a> MatrixMut<'a> {
    /// View `shape` elements of `data` with strides in elements, which may be negative.
    ///
    /// # Errors
    /// If an element lies outside `data`, or two elements might share a place.
    pub fn new(
        data: &'a mut [u64],
        offset: usize,
        shape: [usize; 2],
        strides: [isize; 2],
    ) -> Result<Self, Mismatch> {
        if !inside(data.len(), offset, shape, strides) {
            return Err(Mismatch("a matrix reaches beyond its array"));
        }
        // Sorted by stride, each step must go beyond all that the smaller steps can reach.
        let mut steps = [0, 1].map(|d| (strides[d].unsigned_abs(), shape[d]));
        steps.sort_unstable();
        let mut reach = 0u128;
        for (stride, size) in steps.into_iter().filter(|_| !shape.contains(&0)) {
            if size > 1 && (stride as u128) <= reach {
                return Err(Mismatch("elements of the output overlap"));
            }
            reach += stride as u128 * (size as u128 - 1);
        }
        Ok(Self { data, offset, shape, strides })
    }

    fn view(&self) -> Matrix<'_> {
        let Self { offset, shape, strides, .. } = *self;
        Matrix { data: self.data, offset, shape, strides }
    }

    /// Set every element to zero.
    pub(super) fn clear(&mut self) {
        let [m, n] = self.shape;
        for i in 0..m {
            self.update(i, 0, n, |_| 0);
        }
    }

    /// Replace elements (i, j), …, (i, j + length - 1): `value(t, old)` gives the t-th.
    #[inline(always)]
    fn update(&mut self, i: usize, j: usize, length: usize, value: impl Fn((usize, u64)) -> u64) {
        if length == 0 {
            return;
        }
        let from = self.view().position(i, j);
        if self.strides[1] == 1 {
            for (t, c) in self.data[from..from + length].iter_mut().enumerate() {
                *c = value((t, *c));
            }
        } else {
            for t in 0..length {
                let c = &mut self.data[from.wrapping_add_signed(t as isize * self.strides[1])];
                *c = value((t, *c));
            }
        }
    }

    /// Add `values` to elements (i, j), (i, j + 1), ….
    #[inline(always)]
    pub(super) fn add(&mut self, i: usize, j: usize, values: &[u64]) {
        self.update(i, j, values.len(), |(t, c)| c.wrapping_add(values[t]));
    }

    fn transposed(self) -> Self {
        let ([m, n], [row, col]) = (self.shape, self.strides);
        Self { shape: [n, m], strides: [col, row], ..self }
    }

    fn reversed(self) -> Self {
        let Matrix { offset, strides, .. } = self.view().reversed();
        Self { offset, strides, ..self }
    }

    /// Rows `0..at` and `at..`; the row stride is positive and the largest.
    fn split_rows(self, at: usize) -> (Self, Self) {
        let Self { data, offset, shape: [m, n], strides } = self;
        let cut = (offset + at * strides[0].unsigned_abs()).min(data.len());
        let (top, bottom) = data.split_at_mut(cut);
        let top = Self { data: top, offset, shape: [at, n], strides };
        (top, Self { data: bottom, offset: 0, shape: [m - at, n], strides })
    }
}

/// `c += a b`, with c's strides positive and its rows further apart than its columns; a product
/// of a vector and a matrix becomes one of a matrix and a vector.
pub(super) struct Problem<'a> {
    pub a: Matrix<'a>,
    pub b: Matrix<'a>,
    pub c: MatrixMut<'a>,
}

impl<'a> Problem<'a> {
    pub fn new(a: Matrix<'a>, b: Matrix<'a>, c: MatrixMut<'a>) -> Result<Self, Mismatch> {
        if a.shape[1] != b.shape[0] || c.shape != [a.shape[0], b.shape[1]] {
            return Err(Mismatch("the shapes do not fit a matrix product"));
        }
        let mut problem = Self { a, b, c };
        // A direction without steps has no stride: so a single row becomes a single column.
        for (stride, size) in problem.c.strides.iter_mut().zip(problem.c.shape) {
            *stride *= isize::from(size > 1);
        }
        if problem.c.strides[0] < 0 {
            problem = problem.rows_reversed();
        }
        if problem.c.strides[1] < 0 {
            problem = problem.transposed().rows_reversed().transposed();
        }
        if problem.c.strides[0] < problem.c.strides[1] {
            problem = problem.transposed();
        }
        Ok(problem)
    }

    /// Rows of a, rows and columns between them, columns of b.
    pub fn shape(&self) -> [usize; 3] {
        [self.a.shape[0], self.a.shape[1], self.b.shape[1]]
    }

    /// The same product as bᵀ aᵀ.
    pub fn transposed(self) -> Self {
        Self { a: self.b.transposed(), b: self.a.transposed(), c: self.c.transposed() }
    }

    fn rows_reversed(self) -> Self {
        Self { a: self.a.reversed(), c: self.c.reversed(), ..self }
    }

    /// Up to `parts` problems that make up this one, by rows of c.
    pub fn split(self, parts: usize) -> Vec<Self> {
        let rows = self.c.shape[0];
        if parts < 2 || rows < 2 {
            return vec![self];
        }
        let step = rows.div_ceil(parts);
        let (mut problems, mut rest, mut from) = (Vec::with_capacity(parts), self.c, 0);
        while from < rows {
            let to = rows.min(from + step);
            let (part, others) = rest.split_rows(to - from);
            problems.push(Self { a: self.a.rows(from, to), b: self.b, c: part });
            (rest, from) = (others, to);
        }
        problems
    }
}
