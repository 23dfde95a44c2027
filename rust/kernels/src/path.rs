//! Which instruction set runs: detected once, then read from an atomic.

use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Path {
    /// The baseline of the target.
    Portable = 1,
    /// x86-64 with AVX2 (Haswell, Zen 1).
    Avx2 = 2,
    /// x86-64 with AVX-512 F, BW, DQ, VL, IFMA, VBMI, VNNI and GFNI (Ice Lake, Zen 4).
    Avx512 = 3,
}

/// 0 until the first use.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl Path {
    /// The best path of this machine.
    #[must_use]
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2");
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512ifma")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512vnni")
                && is_x86_feature_detected!("gfni")
            {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

/// The path in use.
#[inline]
#[must_use]
pub fn path() -> Path {
    match CURRENT.load(Ordering::Relaxed) {
        1 => Path::Portable,
        2 => Path::Avx2,
        3 => Path::Avx512,
        _ => {
            let best = Path::best();
            CURRENT.store(best as u8, Ordering::Relaxed);
            best
        }
    }
}

/// Use `wanted` from now on, for tests; false (and no change) if this machine lacks it.
pub fn set_path(wanted: Path) -> bool {
    let available = wanted <= Path::best();
    if available {
        CURRENT.store(wanted as u8, Ordering::Relaxed);
    }
    available
}

/// Compile a function body once for each [`Path`] and call the one in use.
///
/// Generic parameters go into brackets after the name; they must follow from the arguments.
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $([$($generic:tt)*])?
     ($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<$($generic)*>)? ($($arg: $type),*) {
            #[inline(always)]
            fn generic $(<$($generic)*>)? ($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")]
            fn avx512 $(<$($generic)*>)? ($($arg: $type),*) {
                generic($($arg),*);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2 $(<$($generic)*>)? ($($arg: $type),*) {
                generic($($arg),*);
            }

            match $crate::path::path() {
                // SAFETY: `path()` returns `Avx512` only where all its features were detected.
                #[cfg(target_arch = "x86_64")]
                $crate::path::Path::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: `path()` returns `Avx2` only where all its features were detected.
                #[cfg(target_arch = "x86_64")]
                $crate::path::Path::Avx2 => unsafe { avx2($($arg),*) },
                _ => generic($($arg),*),
            }
        }
    };
}

pub(crate) use multiversion;
