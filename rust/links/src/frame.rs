//! The frame: what travels inside a TLS link.
//!
//! Every frame begins with a header of [`HEADER_BYTES`] bytes, all numbers little endian:
//!
//! | bytes | field | meaning |
//! |---|---|---|
//! | 0–1 | version | [`VERSION`]; nothing else is read when it differs |
//! | 2 | kind | [`Kind`] |
//! | 3 | flags | 1 = another segment of this message follows; else 0 |
//! | 4–7 | segment | bytes of this frame behind the header |
//! | 8–15 | tag | the session's tag, 0 before the session is agreed |
//! | 16–23 | sequence | number of the message on this link and direction, from 0 |
//! | 24–31 | payload | payload bytes of the whole message |
//! | 32–39 | check | bytes of check values of the whole message, behind the payload |
//!
//! A data message longer than [`SEGMENT_BYTES`] travels in several frames, its segments, so that
//! an abort need not wait for the end of a long message. Who sent a frame is known from the
//! link's certificate; no field says so.

use std::fmt;

/// Version of the wire format. Every other version is refused.
pub const VERSION: u16 = 1;
/// Bytes of a frame's header.
pub const HEADER_BYTES: usize = 40;
/// The longest segment of a data message.
pub const SEGMENT_BYTES: u64 = 1 << 20;
/// The longest control message.
pub const CONTROL_BYTES: u64 = 1 << 20;
/// The longest cause that an abort carries.
pub const ABORT_BYTES: u64 = 1 << 13;
/// Bytes of a heartbeat's payload.
pub const HEARTBEAT_BYTES: u64 = 16;

const MORE: u8 = 1;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Arrays of a round.
    Data = 0,
    /// A small structured message: handshake, schemas.
    Control = 1,
    /// The sender is alive; says whom it waits for.
    Heartbeat = 2,
    /// The sender gives up; says why.
    Abort = 3,
    /// Goodbye: nothing follows.
    Close = 4,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Data,
            1 => Self::Control,
            2 => Self::Heartbeat,
            3 => Self::Abort,
            4 => Self::Close,
            _ => return None,
        })
    }

    /// Whether frames of this kind carry sequence numbers.
    pub fn is_numbered(self) -> bool {
        matches!(self, Self::Data | Self::Control)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// Whether another segment of the same message follows.
    pub more: bool,
    /// Bytes of this frame behind the header.
    pub segment: u32,
    /// The session's tag.
    pub tag: u64,
    /// Number of the message on this link and direction.
    pub sequence: u64,
    /// Payload bytes of the whole message.
    pub payload: u64,
    /// Bytes of check values of the whole message.
    pub check: u64,
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..2].copy_from_slice(&VERSION.to_le_bytes());
        bytes[2] = self.kind as u8;
        bytes[3] = if self.more { MORE } else { 0 };
        bytes[4..8].copy_from_slice(&self.segment.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.tag.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.payload.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.check.to_le_bytes());
        bytes
    }

    /// Reads a header and checks everything that can be checked without knowing what is awaited.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let version = u16::from_le_bytes([bytes[0], bytes[1]]);
        if version != VERSION {
            return Err(FrameError::new(Fault::Version, VERSION, version));
        }
        let kind = Kind::from_byte(bytes[2])
            .ok_or_else(|| FrameError::new(Fault::Kind, Kind::Close as u8, bytes[2]))?;
        let more = match bytes[3] {
            0 => false,
            MORE if kind == Kind::Data => true,
            other => return Err(FrameError::new(Fault::Flags, 0u8, other)),
        };
        let header = Self {
            kind,
            more,
            segment: u32::from_le_bytes(bytes[4..8].try_into().expect("4 bytes")),
            tag: word(8),
            sequence: word(16),
            payload: word(24),
            check: word(32),
        };
        header.check_lengths()?;
        Ok(header)
    }

    /// Payload and check bytes of the whole message.
    pub fn total(&self) -> Option<u64> {
        self.payload.checked_add(self.check)
    }

    fn check_lengths(&self) -> Result<(), FrameError> {
        let segment = u64::from(self.segment);
        let bound = match self.kind {
            Kind::Data => SEGMENT_BYTES,
            Kind::Control => CONTROL_BYTES,
            Kind::Heartbeat => HEARTBEAT_BYTES,
            Kind::Abort => ABORT_BYTES,
            Kind::Close => 0,
        };
        if segment > bound {
            return Err(FrameError::new(Fault::Segment, bound, segment));
        }
        let total =
            self.total().ok_or_else(|| FrameError::new(Fault::Payload, u64::MAX, self.payload))?;
        match self.kind {
            // Segments but the last are full: a sender cannot trickle bytes in tiny frames.
            Kind::Data if self.more && segment != SEGMENT_BYTES => {
                Err(FrameError::new(Fault::Segment, SEGMENT_BYTES, segment))
            }
            Kind::Data if segment > total => Err(FrameError::new(Fault::Segment, total, segment)),
            Kind::Data => Ok(()),
            Kind::Heartbeat if segment != HEARTBEAT_BYTES => {
                Err(FrameError::new(Fault::Segment, HEARTBEAT_BYTES, segment))
            }
            _ if self.check != 0 => Err(FrameError::new(Fault::Check, 0u64, self.check)),
            _ if self.payload != segment => {
                Err(FrameError::new(Fault::Payload, segment, self.payload))
            }
            _ => Ok(()),
        }
    }
}

/// Which part of a frame is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The wire version.
    Version,
    /// A kind that does not exist, or one that is not awaited now.
    Kind,
    /// Bits that are not defined.
    Flags,
    /// The tag is of another session.
    Session,
    /// A message is missing, repeated or out of order.
    Sequence,
    /// The payload has another length than its receiver awaits.
    Payload,
    /// The check values have another length than their receiver awaits.
    Check,
    /// A segment is longer than allowed or does not fit its message.
    Segment,
}

impl Fault {
    /// The name in messages and in the binding.
    pub fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Kind => "kind",
            Self::Flags => "flags",
            Self::Session => "session",
            Self::Sequence => "sequence",
            Self::Payload => "payload",
            Self::Check => "check",
            Self::Segment => "segment",
        }
    }
}

/// A frame that no honest peer sends at this point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// What is wrong.
    pub fault: Fault,
    /// What it must be; for lengths in bytes.
    pub expected: u64,
    /// What it is; for lengths in bytes.
    pub received: u64,
}

impl FrameError {
    /// An error with the value that must be and the value that is.
    pub fn new(fault: Fault, expected: impl Into<u64>, received: impl Into<u64>) -> Self {
        Self { fault, expected: expected.into(), received: received.into() }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "wrong {}: expected {}, received {}",
            self.fault.name(),
            self.expected,
            self.received
        )
    }
}

impl std::error::Error for FrameError {}

/// What a heartbeat says about its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bit i: the sender waits for party i. Zero: it computes.
    pub awaited: u64,
    /// Which exchange the sender is in or has finished, counted from the begin of the session.
    pub round: u64,
}

impl Status {
    /// Whether a party that said `earlier` has got on since: a later exchange, or fewer to wait
    /// for in the same one.
    pub fn follows(&self, earlier: &Self) -> bool {
        let fewer = self.awaited != earlier.awaited && self.awaited & !earlier.awaited == 0;
        self.round > earlier.round || (self.round == earlier.round && fewer)
    }

    /// The payload of a heartbeat.
    pub fn encode(&self) -> [u8; HEARTBEAT_BYTES as usize] {
        let mut bytes = [0; HEARTBEAT_BYTES as usize];
        bytes[..8].copy_from_slice(&self.awaited.to_le_bytes());
        bytes[8..].copy_from_slice(&self.round.to_le_bytes());
        bytes
    }

    /// Reads a heartbeat's payload.
    pub fn decode(bytes: &[u8; HEARTBEAT_BYTES as usize]) -> Self {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        Self { awaited: word(0), round: word(8) }
    }
}
