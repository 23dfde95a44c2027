//! The kernels of each protocol put together for its three roles, on every instruction set.

use proptest::prelude::*;
use tacit_kernels::*;

const PATHS: [Path; 3] = [Path::Portable, Path::Avx2, Path::Avx512];
const NONCE: u64 = 7;

/// Keys of A and B, of B and C, of C and A.
fn keys() -> [StreamKey; 3] {
    [1, 2, 3].map(|byte| StreamKey::new(&[byte; 16]))
}

/// Shares j, j + 1, j + 2 of the values.
fn share(values: &[u64], seed: u8) -> [Vec<u64>; 3] {
    let random = |lane| {
        let mut bytes = vec![0; 8 * values.len()];
        fill(&StreamKey::new(&[seed; 16]), 0, lane, 0, &mut bytes).unwrap();
        bytes.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect::<Vec<_>>()
    };
    let (first, second) = (random(0), random(1));
    let third = values.iter().zip(&first).zip(&second);
    let third = third.map(|((x, a), b)| x.wrapping_sub(*a).wrapping_sub(*b)).collect();
    [first, second, third]
}

fn product_truncated(x: &[Vec<u64>; 3], y: &[Vec<u64>; 3], m: u32) -> Result<Vec<u64>, Mismatch> {
    let [ab, bc, ca] = keys();
    let n = x[0].len();
    let words = || vec![0u64; n];
    let factors = |i: usize| {
        let j = (i + 1) % 3;
        Factors::Shares([[&x[i], &x[j]], [&y[i], &y[j]]])
    };
    let (mut from_b, mut from_c, mut r_b, mut r_c) = (words(), words(), words(), words());
    truncation_mask(Role::B, factors(1), &bc, NONCE, m, &mut from_b, &mut r_b)?;
    truncation_mask(Role::C, factors(2), &bc, NONCE, m, &mut from_c, &mut r_c)?;
    let (mut own, mut next, mut message) = (words(), words(), words());
    let (mut field_a, mut field_b, mut field_c) = (vec![0u32; n], vec![0u32; n], vec![0u32; n]);
    let out = [&mut own[..], &mut next[..], &mut message[..]];
    truncation_open(factors(0), &from_b, Some(&from_c), [&ab, &ca], NONCE, m, out, &mut field_a)?;
    let (mut copy_b, mut copy_c) = (words(), words());
    truncation_carry_b(&ab, NONCE, m, &r_b, &mut copy_b, &mut field_b)?;
    truncation_carry_c(&message, &field_a, &ca, NONCE, m, &r_c, &mut copy_c, &mut field_c)?;
    truncation_finish(&field_b, &field_c, m, &mut r_b)?;
    truncation_finish(&field_c, &field_b, m, &mut r_c)?;
    assert_eq!((&r_b, &next, &own), (&r_c, &copy_b, &copy_c));
    let shares = own.iter().zip(&next).zip(&r_b);
    Ok(shares.map(|((a, b), c)| a.wrapping_add(*b).wrapping_add(*c)).collect())
}

/// The carry into bit 63 and bit 63 of both summands: the sign.
fn sign_bits(x: &[Vec<u64>; 3], width: usize) -> Result<Vec<u64>, Mismatch> {
    let [ab, bc, ca] = keys();
    let blocks = x[0].len().div_ceil(64 * width);
    let planes = |count: usize| vec![0u64; blocks * count * width];
    fn write(words: &mut [u64], shape: [usize; 3]) -> PlanesMut<'_> {
        PlanesMut { words, shape }
    }
    let shape = |count| [blocks, count, width];
    macro_rules! read {
        ($words:expr, $count:expr) => {
            Planes { words: $words, shape: shape($count) }
        };
    }
    let (mut message, mut own, mut next) = (planes(148), planes(41), planes(41));
    let mut tops: [Vec<u64>; 6] = std::array::from_fn(|_| planes(1));
    let [t0, t1, t2, t3, t4, t5] = tops.each_mut().map(|top| write(top, shape(1)));
    carry_monomials(
        [&x[0], &x[1]],
        [&ca, &ab],
        NONCE,
        width,
        true,
        write(&mut message, shape(148)),
        [write(&mut own, shape(41)), write(&mut next, shape(41))],
        [t0, t1],
    )?;
    let (mut out_b, mut out_c, mut level_b, mut level_c) =
        (planes(41), planes(41), planes(41), planes(41));
    carry_generate(
        Role::B,
        &x[2],
        None,
        &ab,
        NONCE,
        width,
        true,
        write(&mut out_b, shape(41)),
        write(&mut level_b, shape(41)),
        [t2, t3],
    )?;
    carry_generate(
        Role::C,
        &x[2],
        Some(read!(&message, 148)),
        &ca,
        NONCE,
        width,
        true,
        write(&mut out_c, shape(41)),
        write(&mut level_c, shape(41)),
        [t4, t5],
    )?;
    assert_eq!((&next, &own), (&level_b, &level_c));
    let mut third = planes(41);
    xor(&out_b, &out_c, &mut third)?;
    let mut levels = vec![[own, next, third]];
    let stream_keys = [&ca, &ab, &bc];
    for (lane, (pairs, joined)) in [(21, 10), (10, 5), (5, 3), (3, 1), (1, 1)].iter().enumerate() {
        let mut out: [Vec<u64>; 3] = std::array::from_fn(|_| planes(2 * joined - 1));
        let state = &levels[lane];
        for j in 0..3 {
            let k = (j + 1) % 3;
            let tail = match lane {
                2 => Some((&levels[0], 41, 39)),
                4 => Some((&levels[3], 5, 3)),
                _ => None,
            };
            let tail = tail.map(|(level, count, plane): (&[Vec<u64>; 3], _, _)| Tail {
                shares: [read!(&level[j], count), read!(&level[k], count)],
                plane,
            });
            let extra = (lane == 4).then(|| read!(&tops[j], 1));
            #[allow(clippy::cast_possible_truncation)]
            let masks = Masks {
                keys: [stream_keys[j], stream_keys[k]],
                nonce: NONCE,
                lane: 16 + lane as u16,
            };
            let state = [read!(&state[j], 2 * pairs - 1), read!(&state[k], 2 * pairs - 1)];
            carry_level(state, tail, masks, extra, write(&mut out[j], shape(2 * joined - 1)))?;
        }
        levels.push(out);
    }
    let last = &levels[5];
    Ok((0..last[0].len()).map(|i| last[0][i] ^ last[1][i] ^ last[2][i]).collect())
}

fn injected(x: &[Vec<u64>; 3], b: &[Vec<u64>; 3]) -> Result<Vec<u64>, Mismatch> {
    let [ab, _, ca] = keys();
    let n = x[0].len();
    let words = || vec![0u64; n];
    let (mut message, mut own, mut next) = (vec![0; 2 * n], words(), words());
    let out = [&mut message[..], &mut own[..], &mut next[..]];
    inject_send([&x[0], &x[1]], [&b[0], &b[1]], [&ca, &ab], NONCE, out)?;
    let (mut out_b, mut out_c, mut copy_b, mut copy_c) = (words(), words(), words(), words());
    inject_combine(Role::B, &x[2], &x[1], &b[2], None, &ab, NONCE, &mut out_b, &mut copy_b)?;
    inject_combine(
        Role::C,
        &x[2],
        &x[0],
        &b[2],
        Some(&message),
        &ca,
        NONCE,
        &mut out_c,
        &mut copy_c,
    )?;
    assert_eq!((&next, &own), (&copy_b, &copy_c));
    Ok((0..n)
        .map(|i| [&own, &next, &out_b, &out_c].iter().fold(0, |s: u64, v| s.wrapping_add(v[i])))
        .collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn products_are_truncated(
        pairs in prop::collection::vec((any::<i32>(), any::<i32>()), 0..1100), m in 1..=32u32,
    ) {
        let x: Vec<u64> = pairs.iter().map(|p| i64::from(p.0).cast_unsigned()).collect();
        let y: Vec<u64> = pairs.iter().map(|p| i64::from(p.1 / 2).cast_unsigned()).collect();
        for path in PATHS {
            if !set_path(path) {
                continue;
            }
            let shares = product_truncated(&share(&x, 1), &share(&y, 2), m).unwrap();
            for ((x, y), z) in x.iter().zip(&y).zip(shares) {
                let product = x.cast_signed() * y.cast_signed();
                let error = z.cast_signed() - (product >> m);
                prop_assert!((0..=1).contains(&error), "{error} {path:?}");
            }
        }
    }

    #[test]
    fn signs_are_found(x in prop::collection::vec(any::<u64>(), 1..1100), wide in any::<bool>()) {
        for path in PATHS {
            if set_path(path) {
                let bits = sign_bits(&share(&x, 3), if wide { 8 } else { 1 }).unwrap();
                for (i, x) in x.iter().enumerate() {
                    prop_assert_eq!(bits[i / 64] >> (i % 64) & 1, x >> 63, "{:?}", path);
                }
            }
        }
    }

    #[test]
    fn bits_select(
        x in prop::collection::vec(any::<u64>(), 0..1100), bits in prop::collection::vec(any::<u64>(), 18),
    ) {
        let words = x.len().div_ceil(64);
        let [first, second, _] = share(&vec![0; words], 4);
        let third = (0..words).map(|i| bits[i] ^ first[i] ^ second[i]).collect();
        let b = [first, second, third];
        for path in PATHS {
            if set_path(path) {
                for (i, y) in injected(&share(&x, 5), &b).unwrap().into_iter().enumerate() {
                    prop_assert_eq!(y, x[i] * (bits[i / 64] >> (i % 64) & 1), "{:?}", path);
                }
            }
        }
    }

    #[test]
    fn planes_hold_the_bits(x in prop::collection::vec(any::<u64>(), 0..1100)) {
        let words = x.len().div_ceil(64);
        for path in PATHS {
            if set_path(path) {
                let (mut planes, mut back) = (vec![1; 64 * words], vec![1; x.len()]);
                to_planes(&x, &mut planes).unwrap();
                for j in 0..64 {
                    for i in 0..64 * words {
                        let bit = x.get(i).map_or(0, |x| x >> j & 1);
                        prop_assert_eq!(planes[j * words + i / 64] >> (i % 64) & 1, bit);
                    }
                }
                from_planes(&planes, &mut back).unwrap();
                prop_assert_eq!(&back, &x);
            }
        }
    }

    #[test]
    fn wrong_lengths_are_errors(lengths in [0..4usize, 0..4, 0..4, 0..4, 0..4], m in 0..70u32) {
        let [a, b, c, d, e] = lengths.map(|n| vec![0u64; 64 * n]);
        let same = lengths.iter().all(|n| *n == lengths[0]);
        let keys = keys();
        let (mut out, mut other) = (e.clone(), vec![0; 64 * lengths[1]]);
        let pairs = [[&a[..], &b], [&c, &d]];
        prop_assert_eq!(cross_terms(pairs, false, &mut out).is_ok(), same);
        prop_assert_eq!(multiply_share(pairs, [&keys[0], &keys[1]], 0, 0, &mut out).is_ok(), same);
        let masked = truncation_mask(
            Role::B, Factors::Shares(pairs), &keys[0], 0, m, &mut out, &mut other,
        );
        prop_assert_eq!(masked.is_ok(), same && (1..=62).contains(&m));
        let narrow = truncation_finish::<u16>(&[0; 64], &[0; 64], m, &mut [0; 64]);
        prop_assert_eq!(narrow.is_ok(), (1..=16).contains(&m));
    }
}
