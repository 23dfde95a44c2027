//! Why an exchange ends without its result. Every variant names the peer.

use std::fmt;
use std::io::ErrorKind;

use crate::frame::FrameError;
use crate::tls::failure;

/// How a peer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection ended without a goodbye.
    Ended,
    /// The connection was reset.
    Reset,
    /// Not a byte came for as long as the heartbeat allows.
    Silent,
    /// The operating system reports another error.
    Io(ErrorKind),
}

/// Why an exchange ends without its result.
#[derive(Debug)]
pub enum LinkError {
    /// The peer is gone.
    Lost {
        /// Its index.
        peer: usize,
        /// What shows it.
        how: Loss,
    },
    /// The peer said goodbye although something was still awaited from it.
    Left {
        /// Its index.
        peer: usize,
    },
    /// The deadline passed; the peer is the one that others wait for.
    Deadline {
        /// Its index.
        peer: usize,
    },
    /// A round lasted longer than the caller's patience; it is this peer that did not get on.
    Late {
        /// Its index.
        peer: usize,
    },
    /// Nothing moves, and no peer is to blame as far as this party can see.
    Stuck,
    /// The peer gave up.
    Aborted {
        /// Its index.
        peer: usize,
        /// What it says about the cause: bytes that the caller must check.
        cause: Vec<u8>,
    },
    /// The peer sent what it must not send here.
    Frame {
        /// Its index.
        peer: usize,
        /// The receiver's round.
        round: u64,
        /// The number of the awaited message.
        sequence: u64,
        /// What is wrong.
        error: FrameError,
    },
    /// TLS refuses to go on.
    Tls {
        /// The peer's index.
        peer: usize,
        /// What TLS says.
        error: rustls::Error,
    },
    /// The caller's check between waits asked to stop.
    Interrupted,
    /// The links have been closed.
    Closed,
    /// Another thread uses the links.
    Busy,
    /// No link to this party.
    Unknown {
        /// Its index.
        peer: usize,
    },
}

impl LinkError {
    /// A stable word for the binding.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lost { how, .. } => match how {
                Loss::Ended => "ended",
                Loss::Reset => "reset",
                Loss::Silent => "silent",
                Loss::Io(_) => "io",
            },
            Self::Left { .. } => "left",
            Self::Deadline { .. } => "deadline",
            Self::Late { .. } => "late",
            Self::Stuck => "stuck",
            Self::Aborted { .. } => "aborted",
            Self::Frame { error, .. } => error.fault.name(),
            Self::Tls { error, .. } => failure(error),
            Self::Interrupted => "interrupted",
            Self::Closed => "closed",
            Self::Busy => "busy",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The peer concerned.
    pub fn peer(&self) -> Option<usize> {
        match *self {
            Self::Lost { peer, .. }
            | Self::Left { peer }
            | Self::Deadline { peer }
            | Self::Late { peer }
            | Self::Aborted { peer, .. }
            | Self::Frame { peer, .. }
            | Self::Tls { peer, .. }
            | Self::Unknown { peer } => Some(peer),
            Self::Stuck | Self::Interrupted | Self::Closed | Self::Busy => None,
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame { peer, round, sequence, error } => {
                write!(f, "party {peer}, round {round}, message {sequence}: {error}")
            }
            Self::Tls { peer, error } => write!(f, "party {peer}: {error}"),
            Self::Lost { peer, how: Loss::Io(kind) } => write!(f, "party {peer}: {kind}"),
            _ => match self.peer() {
                Some(peer) => write!(f, "party {peer}: {}", self.name()),
                None => f.write_str(self.name()),
            },
        }
    }
}

impl std::error::Error for LinkError {}
