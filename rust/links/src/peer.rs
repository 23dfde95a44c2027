//! One peer as its party sees it: link, decoder, counters, signs of life.

use std::io::{ErrorKind, IoSlice};
use std::time::{Duration, Instant};

use crate::error::{LinkError, Loss};
use crate::frame::{HEARTBEAT_BYTES, Header, Kind, Status};
use crate::link::{Broken, Link};
use crate::message::{Awaited, Decoder, Event, Outgoing};

/// Plaintext that is encrypted before the socket is asked to take it.
const SLICE_BYTES: usize = 256 << 10;

/// Less payload than this is no progress, unless it ends a message: a peer cannot gain time by
/// single bytes.
const PROGRESS_BYTES: u64 = 256 << 10;

/// What moved on a link in one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes went out or came in.
    pub any: bool,
    /// A byte came in.
    pub heard: bool,
}

/// One peer.
pub struct Peer {
    /// Its index.
    pub index: usize,
    /// The connection.
    pub link: Link,
    decoder: Decoder,
    tag: u64,
    sequence: u64,
    /// When a byte last came.
    pub heard: Instant,
    /// When a frame was last sent.
    pub spoke: Instant,
    /// What it last said about itself, and when.
    pub status: Option<(Status, Instant)>,
    /// When it last got on: its status advanced, or payload moved between it and this party.
    pub advanced: Instant,
    /// Payload that moved since, in bytes.
    moved: u64,
    /// It said goodbye.
    pub left: bool,
}

impl Peer {
    /// A peer whose TLS handshake is done.
    pub fn new(index: usize, link: Link, now: Instant) -> Self {
        Self {
            index,
            link,
            decoder: Decoder::default(),
            tag: 0,
            sequence: 0,
            heard: now,
            spoke: now,
            status: None,
            advanced: now,
            moved: 0,
            left: false,
        }
    }

    /// From here on all frames carry this tag, in both directions.
    pub fn set_tag(&mut self, tag: u64) {
        self.tag = tag;
        self.decoder.tag = tag;
        self.status = None;
    }

    /// Takes note of payload that moved; `complete` when a message came to its end by it.
    pub fn got_on(&mut self, bytes: u64, complete: bool, now: Instant) {
        self.moved += bytes;
        if complete || self.moved >= PROGRESS_BYTES {
            self.moved = 0;
            self.advanced = now;
        }
    }

    /// Whether a message waits that nothing awaited so far: the link is not read before.
    pub fn is_held(&self) -> bool {
        self.decoder.is_held()
    }

    /// Encrypts and sends the next piece of a message; flushes what is queued. While the socket
    /// takes no more, up to `backlog` bytes are queued.
    pub fn push(
        &mut self,
        outgoing: Option<&mut Outgoing<'_>>,
        backlog: usize,
    ) -> Result<bool, Broken> {
        let queued = self.link.queued();
        let flushed = self.link.flush()?;
        let moved = self.link.queued() < queued;
        let Some(message) = outgoing.filter(|m| !m.is_done()) else {
            return Ok(moved);
        };
        if !flushed && self.link.queued() >= backlog {
            return Ok(moved);
        }
        self.encrypt_piece(message);
        self.link.flush()?;
        Ok(true)
    }

    /// Encrypts what is left of the open segment, so that another frame can follow.
    pub fn complete_segment(&mut self, message: &mut Outgoing<'_>) {
        while message.is_inside_segment() {
            self.encrypt_piece(message);
        }
    }

    fn encrypt_piece(&mut self, message: &mut Outgoing<'_>) {
        let link = &mut self.link;
        message.advance(SLICE_BYTES, self.tag, self.sequence, |slices| {
            link.encrypt(slices);
        });
        if message.is_done() {
            self.sequence += 1;
        }
    }

    /// Queues a small frame that is no numbered message. Only between segments.
    pub fn queue(&mut self, kind: Kind, payload: &[u8]) {
        let header = Header {
            kind,
            more: false,
            segment: payload.len() as u32,
            tag: self.tag,
            sequence: self.sequence,
            payload: payload.len() as u64,
            check: 0,
        };
        self.link.encrypt(&[IoSlice::new(&header.encode()), IoSlice::new(payload)]);
    }

    /// Sends a heartbeat if nothing was sent for `idle` and nothing is queued.
    pub fn keep_alive(&mut self, status: Status, idle: Duration, now: Instant) {
        if !self.left && !self.link.wants_write() && now.duration_since(self.spoke) >= idle {
            let payload: [u8; HEARTBEAT_BYTES as usize] = status.encode();
            self.queue(Kind::Heartbeat, &payload);
            self.spoke = now;
            // A broken link shows when something is awaited from it.
            let _ = self.link.flush();
        }
    }

    /// Reads what is there into what is awaited: at most one socket read, and not beyond the
    /// awaited message.
    pub fn pull(
        &mut self,
        mut awaited: Option<&mut Awaited<'_>>,
        round: u64,
    ) -> Result<Moved, LinkError> {
        let mut moved = Moved::default();
        let mut filled = false;
        let pending = awaited.as_ref().is_some_and(|m| !m.is_done());
        if self.left {
            let peer = self.index;
            return if pending { Err(LinkError::Left { peer }) } else { Ok(moved) };
        }
        loop {
            // What follows the awaited message is looked at when more is awaited from anybody.
            if pending && awaited.as_ref().is_some_and(|m| m.is_done()) {
                return Ok(moved);
            }
            let (peer, sequence) = (self.index, self.decoder.sequence());
            let fault = |error| LinkError::Frame { peer, round, sequence, error };
            let target = self.decoder.target(awaited.as_deref_mut());
            let Some(target) = target.map_err(fault)? else {
                return Ok(moved);
            };
            match self.link.take(target) {
                Ok(Some(0)) => return Err(self.lost(Broken::Ended)),
                Ok(Some(count)) => {
                    moved.any = true;
                    let event = self.decoder.advance(count, awaited.as_deref_mut());
                    match event.map_err(fault)? {
                        None => {}
                        Some(Event::Heartbeat(status)) => {
                            let now = Instant::now();
                            if self.status.is_none_or(|(last, _)| status.follows(&last)) {
                                self.advanced = now;
                            }
                            self.status = Some((status, now));
                        }
                        Some(Event::Abort(cause)) => {
                            return Err(LinkError::Aborted { peer: self.index, cause });
                        }
                        Some(Event::Close) => {
                            self.left = true;
                            return self.pull(awaited, round);
                        }
                    }
                }
                Ok(None) if filled => return Ok(moved),
                Ok(None) => match self.link.fill() {
                    Ok(true) => {
                        filled = true;
                        moved.any = true;
                        moved.heard = true;
                    }
                    Ok(false) => return Ok(moved),
                    Err(broken) => return Err(self.lost(broken)),
                },
                Err(broken) => return Err(self.lost(broken)),
            }
        }
    }

    /// The error that a broken link is.
    pub fn lost(&self, broken: Broken) -> LinkError {
        let peer = self.index;
        match broken {
            Broken::Ended if self.left => LinkError::Left { peer },
            Broken::Ended => LinkError::Lost { peer, how: Loss::Ended },
            Broken::Io(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                LinkError::Lost { peer, how: Loss::Reset }
            }
            Broken::Io(kind) => LinkError::Lost { peer, how: Loss::Io(kind) },
            Broken::Tls(error) => LinkError::Tls { peer, error },
        }
    }
}
