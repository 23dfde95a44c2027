//! Every micro-kernel against the definition, over strides.

use proptest::prelude::*;

use super::*;

type Multiply = fn(Problem<'_>);

/// The micro-kernels that this machine can run.
fn kernels() -> Vec<(&'static str, Multiply)> {
    let mut kernels: Vec<(&'static str, Multiply)> =
        vec![("portable", portable::multiply), ("tiny", portable::multiply_tiny)];
    #[cfg(target_arch = "x86_64")]
    {
        if Path::best() >= Path::Avx2 {
            // SAFETY: the machine has AVX2.
            kernels.push(("avx2", |problem| unsafe { avx2::multiply(problem) }));
        }
        if Path::best() >= Path::Avx512 {
            // SAFETY: the machine has the AVX-512 sets of the path.
            kernels.push(("avx512", |problem| unsafe { avx512::multiply(problem) }));
            // SAFETY: as above.
            kernels.push(("avx512 words", |problem| unsafe { avx512_words::multiply(problem) }));
        }
    }
    kernels
}

/// Words with long runs of ones and zeros among them, where carries show.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), (0..64u32).prop_map(|s| u64::MAX << s), Just(u64::MAX), Just(0)]
}

/// A layout of a matrix: strides and offset within `4 rows cols` elements, by number.
#[allow(clippy::cast_possible_wrap)]
fn layout(number: usize, [rows, cols]: [usize; 2]) -> (usize, [isize; 2]) {
    let (r, c) = (rows as isize, cols as isize);
    match number {
        0 => (0, [c, 1]),
        1 => (0, [1, r]),
        2 => ((rows * cols).saturating_sub(1), [-c, -1]),
        3 => (1, [2 * c, 2]),
        _ => (cols.saturating_sub(1), [c, -1]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn kernels_multiply(
        shape in prop_oneof![
            [1..40usize, 1..40usize, 1..60usize],
            Just([7, 400, 21]), Just([130, 5, 3]), Just([3, 2, 2100]),
        ],
        layouts in [0..5usize, 0..5, 0..5],
        seeds in prop::collection::vec(word(), 1..50),
    ) {
        let [m, k, n] = shape;
        let draw = |size: usize, factor: u64| -> Vec<u64> {
            let words = seeds.iter().cycle().zip(0..4 * size as u64 + 4);
            words.map(|(seed, i)| seed.wrapping_mul(1 + (i * factor) % 7)).collect()
        };
        let (a_data, b_data, c_data) = (draw(m * k, 3), draw(k * n, 5), draw(m * n, 1));
        fn view(data: &[u64], number: usize, shape: [usize; 2]) -> Matrix<'_> {
            let (offset, strides) = layout(number, shape);
            Matrix::new(data, offset, shape, strides).unwrap()
        }
        let (a, b) = (view(&a_data, layouts[0], [m, k]), view(&b_data, layouts[1], [k, n]));
        let (offset, strides) = layout(layouts[2], [m, n]);
        for (name, multiply) in kernels() {
            let mut data = c_data.clone();
            let c = MatrixMut::new(&mut data, offset, [m, n], strides).unwrap();
            multiply(Problem::new(a, b, c).unwrap());
            let (old, new) = (view(&c_data, layouts[2], [m, n]), view(&data, layouts[2], [m, n]));
            for i in 0..m {
                for j in 0..n {
                    let sum = (0..k).fold(old.at(i, j), |sum, p| {
                        sum.wrapping_add(a.at(i, p).wrapping_mul(b.at(p, j)))
                    });
                    prop_assert_eq!(new.at(i, j), sum, "{} at {}, {}", name, i, j);
                }
            }
            let touched = data.iter().zip(&c_data).filter(|(new, old)| new != old).count();
            prop_assert!(touched <= m * n);
        }
    }

    #[test]
    fn threads_split_any_layout(
        rows in 0..9usize, cols in 0..9usize, number in 0..5usize, parts in 1..12usize,
    ) {
        let (a, b) = (vec![1; rows], vec![1; cols]);
        let left = Matrix::new(&a, 0, [rows, 1], [1, 1]).unwrap();
        let right = Matrix::new(&b, 0, [1, cols], [1, 1]).unwrap();
        let mut data = vec![0; 4 * rows * cols + 4];
        let (offset, strides) = layout(number, [rows, cols]);
        let c = MatrixMut::new(&mut data, offset, [rows, cols], strides).unwrap();
        for part in Problem::new(left, right, c).unwrap().split(parts) {
            portable::multiply_tiny(part);
        }
        prop_assert_eq!(data.iter().sum::<u64>(), (rows * cols) as u64);
        prop_assert!(data.iter().all(|&c| c <= 1));
    }
}

#[test]
fn views_stay_within_their_data() {
    let (mut data, zeros) = ([0; 10], [0; 10]);
    assert!(Matrix::new(&zeros, 0, [2, 5], [5, 1]).is_ok());
    assert!(Matrix::new(&zeros, 1, [2, 5], [5, 1]).is_err());
    assert!(Matrix::new(&zeros, 0, [2, 5], [-5, 1]).is_err());
    assert!(Matrix::new(&zeros, 9, [3, 3], [0, 0]).is_ok());
    assert!(Matrix::new(&zeros, 99, [0, 3], [1, 1]).is_ok());
    assert!(Matrix::new(&zeros, 0, [3, 3], [isize::MAX, isize::MAX]).is_err());
    assert!(MatrixMut::new(&mut data, 0, [3, 3], [0, 1]).is_err());
    assert!(MatrixMut::new(&mut data, 0, [3, 3], [2, 1]).is_err());
    assert!(MatrixMut::new(&mut data, 0, [3, 3], [3, 1]).is_ok());
    assert!(MatrixMut::new(&mut data, 9, [3, 3], [-1, -3]).is_ok());
}
