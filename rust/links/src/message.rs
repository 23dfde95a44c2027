//! Messages in flight: what is being sent, what is awaited, and the decoder between.

use std::io::IoSlice;

use crate::frame::{
    ABORT_BYTES, CONTROL_BYTES, Fault, FrameError, HEADER_BYTES, HEARTBEAT_BYTES, Header, Kind,
    SEGMENT_BYTES, Status,
};

/// A message on its way out: payload parts, then check parts, cut into segments.
pub struct Outgoing<'a> {
    kind: Kind,
    parts: Vec<&'a [u8]>,
    payload: u64,
    check: u64,
    // What the next bytes are.
    part: usize,
    offset: usize,
    left_in_message: u64,
    left_in_segment: u64,
    begun: bool,
}

impl<'a> Outgoing<'a> {
    /// A round's arrays for one peer.
    pub fn data(payload: &[&'a [u8]], check: &[&'a [u8]]) -> Self {
        Self::new(Kind::Data, payload, check)
    }

    /// A control message of at most [`CONTROL_BYTES`].
    pub fn control(payload: &'a [u8]) -> Self {
        Self::new(Kind::Control, &[payload], &[])
    }

    fn new(kind: Kind, payload: &[&'a [u8]], check: &[&'a [u8]]) -> Self {
        let bytes = |parts: &[&[u8]]| parts.iter().map(|p| p.len() as u64).sum();
        let (payload_bytes, check_bytes): (u64, u64) = (bytes(payload), bytes(check));
        Self {
            kind,
            parts: payload.iter().chain(check).copied().collect(),
            payload: payload_bytes,
            check: check_bytes,
            part: 0,
            offset: 0,
            left_in_message: payload_bytes + check_bytes,
            left_in_segment: 0,
            begun: false,
        }
    }

    /// Whether everything has been handed over.
    pub fn is_done(&self) -> bool {
        self.begun && self.left_in_message == 0
    }

    /// Bytes that have not been handed over, and one for a header that was not.
    pub fn remaining(&self) -> u64 {
        self.left_in_message + u64::from(!self.begun)
    }

    /// Whether a segment has been begun and not finished.
    pub fn is_inside_segment(&self) -> bool {
        self.left_in_segment > 0
    }

    /// Hands the next bytes to `write`: at most about `limit` of them, a header first where one
    /// is due. `write` must take all.
    pub fn advance(
        &mut self,
        limit: usize,
        tag: u64,
        sequence: u64,
        write: impl FnOnce(&[IoSlice<'_>]),
    ) {
        let header = (!self.begun || self.left_in_segment == 0).then(|| {
            self.begun = true;
            self.left_in_segment = self.left_in_message.min(SEGMENT_BYTES);
            Header {
                kind: self.kind,
                more: self.left_in_message > self.left_in_segment,
                segment: self.left_in_segment as u32,
                tag,
                sequence,
                payload: self.payload,
                check: self.check,
            }
            .encode()
        });
        let mut slices = Vec::with_capacity(self.parts.len() - self.part + 1);
        slices.extend(header.as_ref().map(|h| IoSlice::new(h)));
        let mut room = (limit as u64).min(self.left_in_segment);
        while room > 0 {
            let rest = &self.parts[self.part][self.offset..];
            let take = (rest.len() as u64).min(room) as usize;
            if take > 0 {
                slices.push(IoSlice::new(&rest[..take]));
            }
            self.offset += take;
            room -= take as u64;
            self.left_in_segment -= take as u64;
            self.left_in_message -= take as u64;
            if take == rest.len() {
                self.part += 1;
                self.offset = 0;
            }
        }
        write(&slices);
    }
}

/// What is awaited from one peer.
pub enum Awaited<'a> {
    /// A round's arrays.
    Data(Arrays<'a>),
    /// A control message of at most `limit` bytes, which ends up in `message`.
    Control {
        /// The longest message that is accepted, in bytes.
        limit: u64,
        /// The message, when it has arrived.
        message: Option<Vec<u8>>,
    },
}

/// Arrays that are filled in order: payload parts, then check parts.
pub struct Arrays<'a> {
    parts: Vec<&'a mut [u8]>,
    payload: u64,
    check: u64,
    part: usize,
    offset: usize,
    left: u64,
    done: bool,
}

impl<'a> Awaited<'a> {
    /// Arrays to fill: payload parts, then check parts.
    pub fn data(payload: Vec<&'a mut [u8]>, check: Vec<&'a mut [u8]>) -> Self {
        let bytes = |parts: &[&'a mut [u8]]| parts.iter().map(|p| p.len() as u64).sum();
        let (payload_bytes, check_bytes): (u64, u64) = (bytes(&payload), bytes(&check));
        let mut parts = payload;
        parts.extend(check);
        Self::Data(Arrays {
            parts,
            payload: payload_bytes,
            check: check_bytes,
            part: 0,
            offset: 0,
            left: payload_bytes + check_bytes,
            done: false,
        })
    }

    /// A control message of at most `limit` bytes.
    pub fn control(limit: u64) -> Self {
        Self::Control { limit: limit.min(CONTROL_BYTES), message: None }
    }

    /// Whether everything has arrived.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Data(arrays) => arrays.done,
            Self::Control { message, .. } => message.is_some(),
        }
    }

    /// Bytes of arrays that have not arrived, and one for the end.
    pub fn remaining(&self) -> u64 {
        match self {
            Self::Data(arrays) => arrays.left + u64::from(!arrays.done),
            Self::Control { message, .. } => u64::from(message.is_none()),
        }
    }

    /// Checks a message's first header against what is awaited.
    fn accept(&self, header: &Header) -> Result<(), FrameError> {
        match self {
            Self::Data(_) if header.kind != Kind::Data => {
                Err(FrameError::new(Fault::Kind, Kind::Data as u8, header.kind as u8))
            }
            Self::Data(arrays) if header.payload != arrays.payload => {
                Err(FrameError::new(Fault::Payload, arrays.payload, header.payload))
            }
            Self::Data(arrays) if header.check != arrays.check => {
                Err(FrameError::new(Fault::Check, arrays.check, header.check))
            }
            Self::Control { .. } if header.kind != Kind::Control => {
                Err(FrameError::new(Fault::Kind, Kind::Control as u8, header.kind as u8))
            }
            Self::Control { limit, .. } if header.payload > *limit => {
                Err(FrameError::new(Fault::Payload, *limit, header.payload))
            }
            _ => Ok(()),
        }
    }
}

impl Arrays<'_> {
    fn target(&mut self, limit: usize) -> &mut [u8] {
        while self.offset == self.parts[self.part].len() {
            self.part += 1;
            self.offset = 0;
        }
        let part = &mut self.parts[self.part][self.offset..];
        let take = part.len().min(limit);
        &mut part[..take]
    }

    fn filled(&mut self, bytes: usize) {
        self.offset += bytes;
        self.left -= bytes as u64;
    }
}

/// Something that a peer said outside the messages that are awaited.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// It is alive.
    Heartbeat(Status),
    /// It gives up, for this cause.
    Abort(Vec<u8>),
    /// It will send nothing more.
    Close,
}

enum State {
    Header {
        bytes: [u8; HEADER_BYTES],
        have: usize,
    },
    /// A message that nothing awaits yet. Nothing behind it is read.
    Held(Header),
    /// Inside a segment of the awaited arrays.
    Data {
        header: Header,
        left: usize,
    },
    /// Inside a small frame.
    Small {
        header: Header,
        bytes: Vec<u8>,
        have: usize,
    },
}

/// Turns the plaintext of one link into messages and events.
///
/// The caller asks for a [`Decoder::target`], reads bytes into it and reports how many with
/// [`Decoder::advance`]. Payload bytes go straight to the awaited arrays; nothing is allocated
/// beyond the bounds of `frame.rs`.
pub struct Decoder {
    state: State,
    /// The session's tag; frames of any other are refused.
    pub tag: u64,
    sequence: u64,
    /// The header of the message whose next segment must follow.
    continued: Option<Header>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::header(), tag: 0, sequence: 0, continued: None }
    }
}

impl State {
    fn header() -> Self {
        Self::Header { bytes: [0; HEADER_BYTES], have: 0 }
    }
}

impl Decoder {
    /// The number of the next message.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether a message waits that nothing awaited when its header came.
    pub fn is_held(&self) -> bool {
        matches!(self.state, State::Held(_))
    }

    /// Whether the stream is at a frame's first byte, with no message open.
    pub fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Header { have: 0, .. }) && self.continued.is_none()
    }

    /// Where the next bytes go, never empty. `None`: a message is there that is not awaited.
    ///
    /// Checks a held message against what is awaited now.
    pub fn target<'t>(
        &'t mut self,
        mut awaited: Option<&'t mut Awaited<'_>>,
    ) -> Result<Option<&'t mut [u8]>, FrameError> {
        if let State::Held(header) = self.state {
            match awaited.as_deref_mut() {
                Some(wanted) if !wanted.is_done() => self.begin(header, wanted)?,
                _ => return Ok(None),
            }
        }
        Ok(match &mut self.state {
            State::Held(_) => None,
            State::Header { bytes, have } => Some(&mut bytes[*have..]),
            State::Small { bytes, have, .. } => Some(&mut bytes[*have..]),
            State::Data { left, .. } => match awaited {
                Some(Awaited::Data(arrays)) => Some(arrays.target(*left)),
                _ => None,
            },
        })
    }

    /// Takes note of `count` bytes that were read into the target.
    pub fn advance(
        &mut self,
        count: usize,
        awaited: Option<&mut Awaited<'_>>,
    ) -> Result<Option<Event>, FrameError> {
        match &mut self.state {
            State::Held(_) => Ok(None),
            State::Header { bytes, have } => {
                *have += count;
                if *have < HEADER_BYTES {
                    return Ok(None);
                }
                let header = Header::decode(bytes)?;
                self.dispatch(header, awaited)
            }
            State::Small { have, bytes, .. } => {
                *have += count;
                if *have < bytes.len() {
                    return Ok(None);
                }
                Ok(self.finish_small(awaited))
            }
            State::Data { header, left } => {
                let header = *header;
                *left -= count;
                let segment_ends = *left == 0;
                if let Some(Awaited::Data(arrays)) = awaited {
                    arrays.filled(count);
                    if segment_ends {
                        self.end_segment(header, arrays)?;
                    }
                }
                Ok(None)
            }
        }
    }

    fn dispatch(
        &mut self,
        header: Header,
        awaited: Option<&mut Awaited<'_>>,
    ) -> Result<Option<Event>, FrameError> {
        // Before the session is agreed a peer may already use its tag: numbered messages are
        // checked when they are awaited, the others may come from before or after.
        let foreign = header.tag != self.tag && header.tag != 0 && self.tag != 0;
        if foreign && !header.kind.is_numbered() {
            return Err(FrameError::new(Fault::Session, self.tag, header.tag));
        }
        if let Some(first) = self.continued
            && header.kind.is_numbered()
        {
            return self.resume(first, header, awaited);
        }
        match header.kind {
            Kind::Data | Kind::Control => {
                self.state = State::Held(header);
                match awaited {
                    Some(wanted) if !wanted.is_done() => self.begin(header, wanted)?,
                    _ => {}
                }
                Ok(None)
            }
            Kind::Heartbeat | Kind::Abort => {
                self.begin_small(header);
                if header.segment == 0 {
                    return Ok(self.finish_small(None));
                }
                Ok(None)
            }
            Kind::Close => {
                self.state = State::header();
                Ok(Some(Event::Close))
            }
        }
    }

    /// Begins the message whose first header is `header`; one without bytes also ends here.
    fn begin(&mut self, header: Header, wanted: &mut Awaited<'_>) -> Result<(), FrameError> {
        if header.tag != self.tag {
            return Err(FrameError::new(Fault::Session, self.tag, header.tag));
        }
        if header.sequence != self.sequence {
            return Err(FrameError::new(Fault::Sequence, self.sequence, header.sequence));
        }
        wanted.accept(&header)?;
        match wanted {
            Awaited::Data(arrays) => {
                self.begin_segment(header)?;
                if header.segment == 0 {
                    self.end_segment(header, arrays)?;
                }
            }
            Awaited::Control { .. } => {
                self.begin_small(header);
                if header.segment == 0 {
                    self.finish_small(Some(wanted));
                }
            }
        }
        Ok(())
    }

    fn begin_segment(&mut self, header: Header) -> Result<(), FrameError> {
        let total = header.payload + header.check;
        if !header.more && self.continued.is_none() && u64::from(header.segment) != total {
            return Err(FrameError::new(Fault::Segment, total, header.segment));
        }
        self.state = State::Data { header, left: header.segment as usize };
        Ok(())
    }

    fn begin_small(&mut self, header: Header) {
        debug_assert!(u64::from(header.segment) <= CONTROL_BYTES.max(ABORT_BYTES));
        self.state = State::Small { header, bytes: vec![0; header.segment as usize], have: 0 };
    }

    fn resume(
        &mut self,
        first: Header,
        header: Header,
        awaited: Option<&mut Awaited<'_>>,
    ) -> Result<Option<Event>, FrameError> {
        let same = Header { more: first.more, segment: first.segment, ..header };
        if same != first {
            return Err(FrameError::new(Fault::Sequence, first.sequence, header.sequence));
        }
        let Some(Awaited::Data(arrays)) = awaited else {
            return Err(FrameError::new(Fault::Kind, Kind::Data as u8, header.kind as u8));
        };
        let segment = u64::from(header.segment);
        let fits = if header.more { segment < arrays.left } else { segment == arrays.left };
        if !fits {
            return Err(FrameError::new(Fault::Segment, arrays.left, segment));
        }
        self.begin_segment(header)?;
        Ok(None)
    }

    fn end_segment(&mut self, header: Header, arrays: &mut Arrays<'_>) -> Result<(), FrameError> {
        self.state = State::header();
        if header.more {
            if arrays.left == 0 {
                return Err(FrameError::new(Fault::Segment, 0u64, header.segment));
            }
            self.continued = Some(header);
        } else {
            self.continued = None;
            self.sequence += 1;
            arrays.done = true;
        }
        Ok(())
    }

    fn finish_small(&mut self, awaited: Option<&mut Awaited<'_>>) -> Option<Event> {
        let State::Small { header, bytes, .. } =
            std::mem::replace(&mut self.state, State::header())
        else {
            return None;
        };
        match header.kind {
            Kind::Heartbeat => {
                let fixed: [u8; HEARTBEAT_BYTES as usize] =
                    bytes.try_into().unwrap_or([0; HEARTBEAT_BYTES as usize]);
                Some(Event::Heartbeat(Status::decode(&fixed)))
            }
            Kind::Abort => Some(Event::Abort(bytes)),
            _ => {
                self.sequence += 1;
                if let Some(Awaited::Control { message, .. }) = awaited {
                    *message = Some(bytes);
                }
                None
            }
        }
    }
}
