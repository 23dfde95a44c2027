//! The end of all links: how long this party waits until the others have read what it sent.
//!
//! Up to 32 MiB may be queued on a link when a party finishes, the last opening of a session among
//! it. Each link ends on its own: what is queued goes out, this direction ends, and the other end
//! reads and ends its direction. Two rules say when a peer is no longer waited for:
//!
//! 1. its system confirmed nothing more for the whole limit. A peer that is dead, or that does not
//!    read, costs the limit once.
//! 2. on average it confirmed less than [`LEAST_RATE`] bytes a second since the beginning, the
//!    first limit left out: the end comes for whoever reads a byte now and then, too.
//!
//! So a link takes at most the limit and 16 seconds for each MiB that was queued. A cause (an
//! abort) is waited for no longer than the limit in all: it is behind what nobody needs any more.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::exchange::TICK;
use crate::peer::Peer;

/// Bytes a second that a link confirms at least while it is waited for: half a megabit a second.
pub(crate) const LEAST_RATE: u64 = 64 << 10;

/// How long one link is waited for.
pub(crate) struct Parting {
    limit: Duration,
    begun: Instant,
    /// What was confirmed when it began.
    before: u64,
    confirmed: u64,
    /// When that last grew.
    grown: Instant,
}

impl Parting {
    pub fn new(limit: Duration, confirmed: u64, now: Instant) -> Self {
        Self { limit, begun: now, before: confirmed, confirmed, grown: now }
    }

    pub fn note(&mut self, confirmed: u64, now: Instant) {
        if confirmed > self.confirmed {
            self.confirmed = confirmed;
            self.grown = now;
        }
    }

    pub fn until(&self) -> Instant {
        let earned = (self.confirmed - self.before) as f64 / LEAST_RATE as f64;
        let average = self.begun + Duration::from_secs_f64(earned);
        average.min(self.grown) + self.limit
    }
}

/// One link that ends.
struct Leaving<'a> {
    peer: &'a mut Peer,
    parting: Parting,
    /// This direction has ended.
    shut: bool,
}

/// All links of a party on their way to the end, behind the last frame.
pub(crate) struct Closing<'a> {
    leaving: Vec<Leaving<'a>>,
    lasting: bool,
}

impl<'a> Closing<'a> {
    /// Without `lasting`, the limit stays whatever moves.
    pub fn new(peers: &'a mut [Peer], limit: Duration, lasting: bool, now: Instant) -> Self {
        let leave = |peer: &'a mut Peer| {
            let parting = Parting::new(limit, peer.link.confirmed(), now);
            Leaving { peer, parting, shut: false }
        };
        Self { leaving: peers.iter_mut().map(leave).collect(), lasting }
    }

    /// Lets every link move once; how long to wait from now on, `None` if for nobody.
    pub fn look(&mut self, now: Instant) -> Option<Duration> {
        let lasting = self.lasting;
        self.leaving.retain_mut(|Leaving { peer, parting, shut }| {
            let flushed = peer.link.flush().unwrap_or(true);
            if lasting {
                parting.note(peer.link.confirmed(), now);
            }
            if flushed && !*shut {
                peer.link.shut();
                *shut = true;
            }
            // Unread bytes at the end would reset the connection and lose what was sent.
            !peer.link.drain()
        });
        // Who is no longer waited for is served while others are.
        let until = self.leaving.iter().map(|leaving| leaving.parting.until()).max()?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Bytes that were confirmed on all links.
    #[cfg(test)]
    pub fn confirmed(&self) -> u64 {
        self.leaving.iter().map(|leaving| leaving.peer.link.confirmed()).sum()
    }

    /// Waits until all links have ended or nobody is waited for. `check` is called about every
    /// 100 ms; it answers whether to go on.
    pub fn run(mut self, check: &mut dyn FnMut() -> bool) {
        let mut ticked = Instant::now();
        loop {
            let now = Instant::now();
            let Some(left) = self.look(now) else { return };
            if now.duration_since(ticked) >= TICK {
                ticked = now;
                if !check() {
                    return;
                }
            }
            // What the other end confirms does not wake this one.
            self.wait(left.min(TICK));
        }
    }

    fn wait(&self, timeout: Duration) {
        let mut sockets = Vec::with_capacity(self.leaving.len());
        for Leaving { peer, shut, .. } in &self.leaving {
            let out = if *shut { PollFlags::empty() } else { PollFlags::OUT };
            sockets.push(PollFd::new(&peer.link, PollFlags::IN | out));
        }
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(timeout.subsec_nanos()) };
        // An interruption shows in the caller's check.
        let _ = poll(&mut sockets, Some(&timeout));
    }
}
