//! Matrix products mod 2^64: any strides in, blocked for the caches, one micro-kernel per path.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_words;
mod blocked;
mod portable;
#[cfg(test)]
mod tests;
mod vector;
mod views;

pub use views::{Matrix, MatrixMut};

use crate::Mismatch;
use crate::path::{Path, path};
use views::Problem;

/// Below this many multiplications, plain loops win over packing.
const TINY: usize = 512;
/// Multiplications that pay for one more thread.
const PER_THREAD: usize = 1 << 22;

/// `c = a b`, or `c += a b` with `accumulate`; rows of c are spread over up to `threads` threads.
///
/// # Errors
/// If the shapes do not fit, or c has strides of zero.
pub fn matmul(
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: MatrixMut<'_>,
    accumulate: bool,
    threads: usize,
) -> Result<(), Mismatch> {
    let mut problem = Problem::new(a, b, c)?;
    if !accumulate {
        problem.c.clear();
    }
    let [m, k, n] = problem.shape();
    let work = m.saturating_mul(k).saturating_mul(n);
    if work == 0 {
        return Ok(());
    }
    let threads = threads.min(work.div_ceil(PER_THREAD));
    if threads < 2 {
        solve(problem);
        return Ok(());
    }
    let mut parts = problem.split(threads);
    let first = parts.pop();
    std::thread::scope(|scope| {
        for part in parts {
            scope.spawn(|| solve(part));
        }
        first.map(solve);
    });
    Ok(())
}

fn solve(problem: Problem<'_>) {
    let [m, k, n] = problem.shape();
    if n == 1 {
        vector::multiply(problem);
    } else if m * k * n <= TINY {
        portable::multiply_tiny(problem);
    } else {
        match path() {
            // SAFETY: `path()` returns `Avx512` only where all its features were detected.
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 if multiplies_words() => unsafe { avx512_words::multiply(problem) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => unsafe { avx512::multiply(problem) },
            // SAFETY: `path()` returns `Avx2` only where all its features were detected.
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => unsafe { avx2::multiply(problem) },
            _ => portable::multiply(problem),
        }
    }
}

/// Whether this processor multiplies words of 64 bits in one step: those of AMD do, which alone
/// have SSE4a; those of Intel take three.
#[cfg(target_arch = "x86_64")]
fn multiplies_words() -> bool {
    is_x86_feature_detected!("sse4a")
}
