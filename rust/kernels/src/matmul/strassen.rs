//! Strassen's scheme above the blocked product: seven products of quarters instead of eight.
//!
//! Exact in a ring. The sums are formed while panels are packed and while tiles are added to c,
//! so no memory is needed beside: Huang, Smith, Henry and van de Geijn, "Strassen's algorithm
//! reloaded" (2016). Odd rows and columns are peeled off and multiplied by themselves.

use super::blocked::{Kernel, Product, Target, Term};
use super::views::{MatrixMut, Problem};

/// A quarter of a matrix, by row and column, and its sign.
type Quarter = ([usize; 2], bool);

/// Quarters of a, of b, and of c that the product is added to: M_1 to M_7 of Strassen (1969).
const PRODUCTS: [[&[Quarter]; 3]; 7] = [
    [&[(Q11, false), (Q22, false)], &[(Q11, false), (Q22, false)], &[(Q11, false), (Q22, false)]],
    [&[(Q21, false), (Q22, false)], &[(Q11, false)], &[(Q21, false), (Q22, true)]],
    [&[(Q11, false)], &[(Q12, false), (Q22, true)], &[(Q12, false), (Q22, false)]],
    [&[(Q22, false)], &[(Q21, false), (Q11, true)], &[(Q11, false), (Q21, false)]],
    [&[(Q11, false), (Q12, false)], &[(Q22, false)], &[(Q11, true), (Q12, false)]],
    [&[(Q21, false), (Q11, true)], &[(Q11, false), (Q12, false)], &[(Q22, false)]],
    [&[(Q12, false), (Q22, true)], &[(Q21, false), (Q22, false)], &[(Q11, false)]],
];
const Q11: [usize; 2] = [0, 0];
const Q12: [usize; 2] = [0, 1];
const Q21: [usize; 2] = [1, 0];
const Q22: [usize; 2] = [1, 1];

/// `c += a b`.
pub(super) fn multiply<K: Kernel>(problem: Problem<'_>) {
    let [m, _, n] = problem.shape();
    // Tiles are wider than high: a product of few columns is better computed as its transpose.
    let tiles = |m: usize, n: usize| m.div_ceil(K::MR) * n.div_ceil(K::NR);
    let swap = 4 * tiles(n, m) < 3 * tiles(m, n);
    let problem = if swap { problem.transposed() } else { problem };
    let shape = problem.shape();
    let Problem { a, b, mut c } = problem;
    let product = Product {
        shape,
        a: vec![Term { matrix: a.transposed(), negative: false }],
        b: vec![Term { matrix: b, negative: false }],
        targets: vec![Target { place: [0, 0], negative: false }],
    };
    level::<K>(&product, &mut c);
}

fn level<K: Kernel>(product: &Product<'_>, c: &mut MatrixMut<'_>) {
    let [m, k, n] = product.shape;
    if m.min(k).min(n) < K::STRASSEN {
        return K::multiply(product, c);
    }
    let half = [m / 2, k / 2, n / 2];
    for [a, b, targets] in PRODUCTS {
        level::<K>(&product.quarters(half, a, b, targets), c);
    }
    // What is odd: a last inner index, a last column, a last row.
    let [even_m, even_k, even_n] = half.map(|size| 2 * size);
    for [rows, inner, columns] in [
        [0..even_m, even_k..k, 0..even_n],
        [0..m, 0..k, even_n..n],
        [even_m..m, 0..k, 0..even_n],
    ] {
        if !rows.is_empty() && !inner.is_empty() && !columns.is_empty() {
            let corner = [rows.start, inner.start, columns.start];
            K::multiply(&product.part(corner, [rows.len(), inner.len(), columns.len()]), c);
        }
    }
}

impl<'a> Product<'a> {
    /// One of the seven products.
    fn quarters(
        &self,
        half: [usize; 3],
        a: &[Quarter],
        b: &[Quarter],
        targets: &[Quarter],
    ) -> Product<'a> {
        let [m, k, n] = half;
        // The left factor is kept transposed.
        let pick = |terms: &[Term<'a>], quarters: &[Quarter], [rows, cols]: [usize; 2], swap| {
            let quarter = |term: &Term<'a>, ([row, col], negative): Quarter| {
                let [row, col] = if swap { [col, row] } else { [row, col] };
                let matrix = term.matrix.block([row * rows, col * cols], [rows, cols]);
                Term { matrix, negative: term.negative != negative }
            };
            terms.iter().flat_map(|t| quarters.iter().map(move |q| quarter(t, *q))).collect()
        };
        let target = |target: &Target, ([row, col], negative): Quarter| Target {
            place: [target.place[0] + row * m, target.place[1] + col * n],
            negative: target.negative != negative,
        };
        Product {
            shape: half,
            a: pick(&self.a, a, [k, m], true),
            b: pick(&self.b, b, [k, n], false),
            targets: self
                .targets
                .iter()
                .flat_map(|t| targets.iter().map(move |q| target(t, *q)))
                .collect(),
        }
    }

    /// The part of the product with these rows, inner indices and columns.
    fn part(&self, [i, p, j]: [usize; 3], shape: [usize; 3]) -> Product<'a> {
        let [m, k, n] = shape;
        let block = |terms: &[Term<'a>], corner, shape| {
            let term = |t: &Term<'a>| Term { matrix: t.matrix.block(corner, shape), ..*t };
            terms.iter().map(term).collect()
        };
        let target = |t: &Target| Target { place: [t.place[0] + i, t.place[1] + j], ..*t };
        Product {
            shape,
            a: block(&self.a, [p, i], [k, m]),
            b: block(&self.b, [p, j], [k, n]),
            targets: self.targets.iter().map(target).collect(),
        }
    }
}
