//! When to lose patience with a peer that is alive, and with which one.
//!
//! A party whose message does not come may be waiting for another one itself. It says so in its
//! heartbeats: which exchange it is in, and whom it awaits there. All parties of a session take
//! part in the same exchanges in the same order, so these numbers can be compared. What is sent in
//! an exchange is sent at its beginning: who waits in exchange `r` has sent all of exchange `r`.
//!
//! A party that is in exchange `r` complains of peer X, in exchange `r_X` as far as it says, when
//! for the whole of its patience neither X's status advanced nor payload moved between the two, and
//!
//! 1. X's message is due, `r_X <= r`, and X waits for nobody else: it works, or waits for me;
//! 2. or X waits for me in `r_X <= r`: I have sent that long ago;
//! 3. or X's message is due and `r_X > r`: X is past a message that never came. This one's time
//!    runs from when X said so first.
//!
//! X that waits for somebody else is never complained of: X itself will complain. So an honest
//! party, which works for less than the patience between two statuses, is never complained of by
//! another honest one. A peer that tells one party that it waits for another, and the other that
//! it waits for the first, escapes the rules; then nothing moves at all. After three times the
//! patience without any change the exchange ends without a complaint (`stuck`), and the parties
//! compare how each stood a while before: [`Patience::standing`], [`Patience::settled`].

use std::time::{Duration, Instant};

use crate::frame::Status;

/// How a party stood for a while before it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which exchange it was in, and whom it awaited.
    pub status: Status,
    /// Whether that did not change from two times to one time its patience before the end.
    pub steady: bool,
}

/// A peer as far as patience looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub peer: usize,
    /// Something of this exchange is missing from it, or it has not taken all.
    pub due: bool,
    /// A message from it waits to be awaited, so that what it said later is not read yet.
    pub held: bool,
    pub status: Option<Status>,
    /// When its status advanced or payload moved.
    pub advanced: Instant,
}

/// With whom a party has lost its patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    Late(usize),
    Stuck,
}

/// One party's patience in one exchange.
pub(crate) struct Patience {
    limit: Duration,
    own: usize,
    turn: u64,
    begun: Instant,
    /// Whom this party awaited since when.
    history: Vec<(Instant, u64)>,
    /// Peers that claim to be in later exchanges, since when.
    ahead: Vec<(usize, Instant)>,
}

impl Patience {
    pub fn new(limit: Duration, own: usize, turn: u64, awaited: u64, now: Instant) -> Self {
        let history = vec![(now, awaited)];
        Self { limit, own, turn, begun: now, history, ahead: Vec::new() }
    }

    /// This process was stopped itself: what it did not see meanwhile shows nothing.
    pub fn restart(&mut self, now: Instant) {
        self.begun = now;
        self.ahead.clear();
        self.history =
            self.history.last().map(|(_, awaited)| (now, *awaited)).into_iter().collect();
    }

    /// Takes note of whom this party awaits now.
    pub fn note(&mut self, awaited: u64, now: Instant) {
        if self.history.last().is_none_or(|(_, last)| *last != awaited) {
            self.history.push((now, awaited));
        }
    }

    /// With whom this party has lost its patience, if with anybody.
    pub fn complaint(&mut self, views: &[View], now: Instant) -> Option<Complaint> {
        let mut idle = self.history.last().is_some_and(|(at, _)| self.since(*at, now) >= 3);
        for view in views {
            let status = view.status.unwrap_or_default();
            let past = view.status.is_some() && status.round > self.turn;
            if !past {
                self.ahead.retain(|(peer, _)| *peer != view.peer);
            } else if !self.ahead.iter().any(|(peer, _)| *peer == view.peer) {
                self.ahead.push((view.peer, now));
            }
            let times = self.since(view.advanced, now);
            idle &= times >= 3;
            if view.held {
                continue;
            }
            let own = 1u64 << (self.own % 64);
            let late = times >= 1;
            let works = view.due && status.awaited & !own == 0;
            let refuted = view.status.is_some() && status.awaited & own != 0;
            let skips = view.due
                && self.ahead.iter().any(|(p, at)| *p == view.peer && self.since(*at, now) >= 1);
            if skips || (!past && late && (works || refuted)) {
                return Some(Complaint::Late(view.peer));
            }
        }
        idle.then_some(Complaint::Stuck)
    }

    /// How this party stood 1.5 times its patience before now, if it was in this exchange then.
    pub fn standing(&self, now: Instant) -> Option<Standing> {
        let before = |times: f64| now.checked_sub(self.limit.mul_f64(times));
        let (from, at, until) = (before(2.0)?, before(1.5)?, before(1.0)?);
        if from < self.begun {
            return None;
        }
        let (_, awaited) = self.history.iter().rev().find(|(since, _)| *since <= at)?;
        let steady = !self.history.iter().any(|(since, _)| *since > from && *since <= until);
        Some(Standing { status: Status { awaited: *awaited, round: self.turn }, steady })
    }

    /// What the peers said last whose statuses have not advanced for long.
    pub fn settled(&self, views: &[View], now: Instant) -> Vec<(usize, Status)> {
        let still = views.iter().filter(|v| !v.held && self.since(v.advanced, now) >= 3);
        still.filter_map(|v| v.status.map(|status| (v.peer, status))).collect()
    }

    /// How many times the patience has passed since then or since the exchange began.
    fn since(&self, then: Instant, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(then.max(self.begun));
        let times = passed.as_nanos() / self.limit.as_nanos().max(1);
        u32::try_from(times).unwrap_or(u32::MAX)
    }
}
