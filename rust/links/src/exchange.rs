//! One exchange: the loop that moves a round's messages over all links at once.

use std::thread::yield_now;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::{LinkError, Loss};
use crate::frame::Status;
use crate::link::Broken;
use crate::message::{Awaited, Outgoing};
use crate::patience::{Complaint, Patience, Standing, View};
use crate::peer::Peer;

/// An exchange looks again for this long before it blocks, and lets other processes run between
/// two looks: short rounds come faster than a sleeping process wakes.
const SPIN: Duration = Duration::from_micros(50);
/// The longest wait between two calls of the caller's check.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// After this much waiting the others are told whom this party waits for.
const TELL_AFTER: Duration = Duration::from_millis(200);
/// See [`stopped`].
const STOPPED: Duration = Duration::from_secs(1);
/// Ciphertext that may stay queued on a link when an exchange returns.
const BACKLOG_BYTES: usize = 32 << 20;

/// What one round of one party moves.
pub struct Exchange<'a> {
    /// The messages that leave, by peer.
    pub sends: Vec<(usize, Outgoing<'a>)>,
    /// The messages that must arrive, by peer.
    pub awaits: Vec<(usize, Awaited<'a>)>,
    /// The round's number, for errors and heartbeats.
    pub round: u64,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// How long a peer may not get on while this party waits. See `patience.rs`.
    pub patience: Option<Duration>,
}

impl Exchange<'_> {
    fn sends_to(&self, peer: usize) -> bool {
        self.sends.iter().any(|(p, m)| *p == peer && !m.is_done())
    }

    fn awaits_from(&self, peer: usize) -> bool {
        self.awaits.iter().any(|(p, m)| *p == peer && !m.is_done())
    }

    fn is_received(&self) -> bool {
        self.awaits.iter().all(|(_, m)| m.is_done())
    }

    fn is_sent(&self) -> bool {
        self.sends.iter().all(|(_, m)| m.is_done())
    }

    fn awaited(&self) -> u64 {
        let waiting = self.awaits.iter().filter(|(_, m)| !m.is_done());
        waiting.fold(0, |mask, (peer, _)| mask | 1 << (peer % 64))
    }
}

/// A party's peers and what it does with them.
pub(crate) struct State {
    pub index: usize,
    pub peers: Vec<Peer>,
    pub round: u64,
    /// How many exchanges this session has had.
    pub turn: Option<u64>,
    /// When all links were last looked at.
    pub looked: Instant,
    pub closed: bool,
    /// How things stood when an exchange with patience failed.
    pub standing: Option<Standing>,
    pub settled: Vec<(usize, Status)>,
}

/// A longer gap between two looks at the clock means that this process itself was stopped: at most
/// half of the heartbeat timeout, since a shorter gap and the quarter of it that passes between two
/// heartbeats must not look like silence together.
fn stopped(heartbeat: Duration) -> Duration {
    (heartbeat / 2).clamp(2 * TICK, STOPPED)
}

/// The times that an exchange keeps an eye on.
struct Watch {
    /// When the waiting began.
    begun: Instant,
    /// The last look at the clock.
    looked: Instant,
    /// The last call of the caller's check.
    ticked: Instant,
    /// When a byte last moved.
    moved: Instant,
    /// Whom the others know this party waits for.
    told: Option<u64>,
    /// Nothing moved for a whole tick: do not wait for the others to read.
    stuck: bool,
}

impl State {
    pub fn new(index: usize, peers: Vec<Peer>, now: Instant) -> Self {
        Self {
            index,
            peers,
            round: 0,
            turn: None,
            looked: now,
            closed: false,
            standing: None,
            settled: Vec::new(),
        }
    }

    /// See `Links::exchange`.
    pub fn exchange(
        &mut self,
        work: &mut Exchange<'_>,
        heartbeat: Duration,
        check: &mut dyn FnMut() -> bool,
    ) -> Result<(), LinkError> {
        if self.closed {
            return Err(LinkError::Closed);
        }
        self.round = work.round;
        self.check_peers(work)?;
        let idle = work.sends.is_empty() && work.awaits.is_empty();
        if !(idle && work.round == 0) {
            self.turn = self.turn.map(|turn| turn + 1);
        }
        let now = Instant::now();
        let mut patience = work.patience.map(|limit| {
            let turn = self.turn.unwrap_or(work.round);
            Patience::new(limit, self.index, turn, work.awaited(), now)
        });
        let result = self.moved_all(work, heartbeat, patience.as_mut(), check);
        if let (Err(_), Some(patience)) = (&result, &patience) {
            let now = Instant::now();
            self.standing = patience.standing(now);
            self.settled = patience.settled(&self.views(work), now);
        }
        result
    }

    fn moved_all(
        &mut self,
        work: &mut Exchange<'_>,
        heartbeat: Duration,
        mut patience: Option<&mut Patience>,
        check: &mut dyn FnMut() -> bool,
    ) -> Result<(), LinkError> {
        let begun = Instant::now();
        let mut watch =
            Watch { begun, looked: begun, ticked: begun, moved: begun, told: None, stuck: false };
        // Bit i: there may be something to read from the peer at position i. All are looked at
        // now and then, awaited or not: a cause may be there.
        let idle = work.sends.is_empty() && work.awaits.is_empty();
        let due = idle || begun.duration_since(self.looked) >= TICK;
        self.looked = if due { begun } else { self.looked };
        let mut readable = self.mask(|peer| due || work.awaits_from(peer.index));
        loop {
            let moved = self.pass(work, &mut readable, &mut watch)?;
            if work.is_received() && work.is_sent() {
                return Ok(());
            }
            let now = Instant::now();
            if moved {
                watch.moved = now;
            } else if now.duration_since(watch.moved) < SPIN {
                yield_now();
                readable |= self.mask(|peer| work.awaits_from(peer.index));
            } else {
                readable |= self.wait(work, &watch, now);
            }
            let now = Instant::now();
            if now.duration_since(watch.looked) > stopped(heartbeat) {
                watch.begun = now;
                if let Some(patience) = patience.as_deref_mut() {
                    patience.restart(now);
                }
            }
            watch.looked = now;
            if readable == 0 {
                self.check_silence(work, heartbeat, watch.begun, now)?;
            }
            if now.duration_since(watch.ticked) >= TICK {
                watch.ticked = now;
                readable = self.mask(|_| true);
                if !check() {
                    return Err(LinkError::Interrupted);
                }
                self.speak(work, heartbeat / 4, &mut watch, now);
                if let Some(patience) = patience.as_deref_mut() {
                    patience.note(work.awaited(), now);
                    match patience.complaint(&self.views(work), now) {
                        None => {}
                        Some(Complaint::Late(peer)) => return Err(LinkError::Late { peer }),
                        Some(Complaint::Stuck) => return Err(LinkError::Stuck),
                    }
                }
            }
            if work.deadline.is_some_and(|deadline| now >= deadline) {
                return Err(LinkError::Deadline { peer: self.blame(work) });
            }
        }
    }

    fn mask(&self, holds: impl Fn(&Peer) -> bool) -> u64 {
        let positions = self.peers.iter().enumerate();
        positions.fold(0, |mask, (at, peer)| mask | u64::from(holds(peer)) << (at % 64))
    }

    fn views(&self, work: &Exchange<'_>) -> Vec<View> {
        let view = |peer: &Peer| View {
            peer: peer.index,
            due: work.awaits_from(peer.index) || work.sends_to(peer.index),
            held: peer.is_held(),
            status: peer.status.map(|(status, _)| status),
            advanced: peer.advanced,
        };
        self.peers.iter().map(view).collect()
    }

    fn status(&self, work: &Exchange<'_>) -> Status {
        Status { awaited: work.awaited(), round: self.turn.unwrap_or(work.round) }
    }

    fn check_peers(&self, work: &Exchange<'_>) -> Result<(), LinkError> {
        let named = work.sends.iter().map(|(p, _)| *p);
        for peer in named.chain(work.awaits.iter().map(|(p, _)| *p)) {
            if !self.peers.iter().any(|p| p.index == peer) {
                return Err(LinkError::Unknown { peer });
            }
        }
        Ok(())
    }

    /// Lets every link move once in both directions; true when anything moved.
    fn pass(
        &mut self,
        work: &mut Exchange<'_>,
        readable: &mut u64,
        watch: &mut Watch,
    ) -> Result<bool, LinkError> {
        // With nothing left to wait for, what the sockets do not take is queued: without bound
        // where others wait for this party to read, or else parties that all send before they
        // receive would wait for each other.
        watch.stuck |= watch.looked.duration_since(watch.moved) >= TICK;
        let backlog = match work.is_received() {
            true if watch.stuck || self.peers.iter().any(Peer::is_held) => usize::MAX,
            true => BACKLOG_BYTES,
            false => 0,
        };
        let mut any = false;
        for (at, peer) in self.peers.iter_mut().enumerate() {
            let bit = 1 << (at % 64);
            let send = work.sends.iter_mut().find(|(p, _)| *p == peer.index);
            let send = send.map(|(_, message)| message);
            let sending = send.as_ref().is_some_and(|m| !m.is_done());
            let mut send = send;
            let before = send.as_ref().map_or(0, |m| m.remaining());
            let pushed = peer.push(send.as_deref_mut(), backlog).map_err(|e| peer.lost(e))?;
            let after = send.as_ref().map_or(0, |m| m.remaining());
            if after < before {
                peer.got_on(before - after, after == 0, watch.looked);
            }
            if pushed {
                peer.spoke = watch.looked;
                any = true;
            }
            let unwritable = peer.link.unwritable().filter(|_| sending);
            if *readable & bit != 0 || unwritable.is_some() {
                let awaited = work.awaits.iter_mut().find(|(p, _)| *p == peer.index);
                let mut awaited = awaited.map(|(_, message)| message);
                let before = awaited.as_ref().map_or(0, |m| m.remaining());
                let moved = peer.pull(awaited.as_deref_mut(), work.round)?;
                let after = awaited.as_ref().map_or(0, |m| m.remaining());
                if after < before {
                    peer.got_on(before - after, after == 0, Instant::now());
                }
                if moved.heard {
                    peer.heard = watch.looked;
                } else {
                    *readable &= !bit;
                }
                any |= moved.any;
                // Who has it all may have left, even since this pass sent the last of it.
                let unsent = send.as_ref().is_some_and(|m| !m.is_done());
                if unsent && peer.left {
                    return Err(LinkError::Left { peer: peer.index });
                }
                // A cause that was already on its way has been read by now.
                if let (Some(kind), false) = (unwritable, moved.any) {
                    return Err(peer.lost(Broken::Io(kind)));
                }
            }
        }
        Ok(any)
    }

    /// Waits for a socket, at most until the next tick; returns which can be read.
    fn wait(&self, work: &Exchange<'_>, watch: &Watch, now: Instant) -> u64 {
        let mut until = watch.ticked + TICK;
        if let Some(deadline) = work.deadline {
            until = until.min(deadline);
        }
        let timeout = until.saturating_duration_since(now);
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(timeout.subsec_nanos()) };
        let mut positions = Vec::with_capacity(self.peers.len());
        let mut sockets = Vec::with_capacity(self.peers.len());
        for (at, peer) in self.peers.iter().enumerate() {
            let mut events = PollFlags::empty();
            if !peer.left && (!peer.is_held() || work.awaits_from(peer.index)) {
                events |= PollFlags::IN;
            }
            if peer.link.wants_write() {
                events |= PollFlags::OUT;
            }
            if !events.is_empty() {
                positions.push(at);
                sockets.push(PollFd::new(&peer.link, events));
            }
        }
        // An interruption shows in the caller's check, any other failure in the reading.
        let _ = poll(&mut sockets, Some(&timeout));
        let ready = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        let found = positions.iter().zip(&sockets);
        let found = found.filter(|(_, socket)| socket.revents().intersects(ready));
        found.fold(0, |mask, (at, _)| mask | 1 << (at % 64))
    }

    /// Sends heartbeats; once the waiting lasts, tells all whom this party waits for, and again
    /// when that changes.
    fn speak(&mut self, work: &Exchange<'_>, idle: Duration, watch: &mut Watch, now: Instant) {
        let status = self.status(work);
        let news = watch.told != Some(status.awaited);
        let tell = news && now.duration_since(watch.begun) >= TELL_AFTER;
        if tell {
            watch.told = Some(status.awaited);
        }
        let idle = if tell { Duration::ZERO } else { idle };
        for peer in &mut self.peers {
            let send = work.sends.iter().find(|(p, _)| *p == peer.index);
            if !send.is_some_and(|(_, message)| message.is_inside_segment()) {
                peer.keep_alive(status, idle, now);
            }
        }
    }

    fn check_silence(
        &self,
        work: &Exchange<'_>,
        heartbeat: Duration,
        begun: Instant,
        now: Instant,
    ) -> Result<(), LinkError> {
        for peer in &self.peers {
            let concerned = work.awaits_from(peer.index) || work.sends_to(peer.index);
            let since = peer.heard.max(begun);
            if concerned && !peer.is_held() && now.duration_since(since) >= heartbeat {
                return Err(LinkError::Lost { peer: peer.index, how: Loss::Silent });
            }
        }
        Ok(())
    }

    /// The party that all the waiting comes from, as far as the heartbeats tell.
    ///
    /// Who is past an exchange has sent all of it: that somebody waits for it there is an old word.
    pub fn blame(&self, work: &Exchange<'_>) -> usize {
        let awaited = work.awaits.iter().filter(|(_, m)| !m.is_done());
        let unsent = work.sends.iter().filter(|(_, m)| !m.is_done());
        let mut candidates =
            awaited.map(|(p, _)| *p).chain(unsent.map(|(p, _)| *p)).collect::<Vec<_>>();
        candidates.sort_unstable();
        let mut suspect = candidates.first().copied().unwrap_or(self.index);
        let mut visited = 1u64 << (self.index % 64);
        loop {
            visited |= 1 << (suspect % 64);
            let peer = self.peers.iter().find(|p| p.index == suspect);
            let told = peer.and_then(|p| p.status.filter(|(_, at)| *at >= p.heard));
            let said = told.map_or_else(Status::default, |(status, _)| status);
            let waits_for = said.awaited & !visited;
            let next = self.peers.iter().find(|p| {
                let past = p.status.is_some_and(|(status, _)| status.round > said.round);
                waits_for >> (p.index % 64) & 1 == 1 && !past
            });
            match next {
                Some(peer) => suspect = peer.index,
                None => return suspect,
            }
        }
    }

    /// Encrypts what is left of open segments, so that a cause can follow.
    pub fn complete_segments(&mut self, work: &mut Exchange<'_>) {
        for peer in &mut self.peers {
            let mut sends = work.sends.iter_mut();
            if let Some((_, message)) = sends.find(|(p, _)| *p == peer.index) {
                peer.complete_segment(message);
            }
        }
    }
}
