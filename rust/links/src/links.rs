//! All links of one party, and the thread that keeps them alive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::closing::Closing;
use crate::error::LinkError;
use crate::exchange::{Exchange, State};
use crate::frame::{ABORT_BYTES, Kind, Status};
use crate::link::Link;
use crate::patience::Standing;
use crate::peer::Peer;

/// First and longest pause between two attempts to flush in the background.
const FLUSH_PAUSES: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(20));

#[derive(Default)]
struct Duty {
    stop: bool,
    backlog: bool,
}

struct Shared {
    state: Mutex<State>,
    duty: Mutex<Duty>,
    bell: Condvar,
    busy: AtomicBool,
    ending: AtomicBool,
}

/// A party's links to all others.
///
/// A background thread sends a heartbeat on links that are idle, and flushes what an exchange
/// left queued; it never reads and never encrypts a message.
pub struct Links {
    shared: Arc<Shared>,
    heartbeat: Duration,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Links {
    /// Takes over the links of party `index`. Without a byte for `heartbeat`, an awaited peer
    /// is lost.
    pub fn new(
        index: usize,
        links: Vec<(usize, Link)>,
        heartbeat: Duration,
    ) -> std::io::Result<Self> {
        let now = Instant::now();
        let mut peers: Vec<Peer> =
            links.into_iter().map(|(peer, link)| Peer::new(peer, link, now)).collect();
        peers.sort_by_key(|p| p.index);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(index, peers, now)),
            duty: Mutex::default(),
            bell: Condvar::new(),
            busy: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        });
        let kept = shared.clone();
        let keeper = Builder::new()
            .name("tacit-heartbeat".into())
            .spawn(move || keep(&kept, heartbeat / 4))?;
        Ok(Self { shared, heartbeat, keeper: Mutex::new(Some(keeper)) })
    }

    /// Takes over one more link.
    pub fn add(&self, peer: usize, link: Link) {
        let mut state = lock(&self.shared.state);
        if !state.closed {
            state.peers.retain(|p| p.index != peer);
            state.peers.push(Peer::new(peer, link, Instant::now()));
            state.peers.sort_by_key(|p| p.index);
        }
    }

    /// From here on all frames carry this tag, in both directions, and exchanges are counted:
    /// all parties have the same ones.
    pub fn set_tag(&self, tag: u64) {
        let mut state = lock(&self.shared.state);
        for peer in &mut state.peers {
            peer.set_tag(tag);
        }
        state.turn = Some(0);
    }

    /// How this party stood a while before an exchange with patience failed.
    pub fn standing(&self) -> Option<Standing> {
        lock(&self.shared.state).standing
    }

    /// What the peers said last, when that failed, that had not got on for long.
    pub fn settled(&self) -> Vec<(usize, Status)> {
        lock(&self.shared.state).settled.clone()
    }

    /// Key material that only this party and `peer` know (RFC 8446 section 7.5).
    pub fn export(
        &self,
        peer: usize,
        label: &[u8],
        context: &[u8],
        out: &mut [u8],
    ) -> Result<(), LinkError> {
        let state = lock(&self.shared.state);
        if state.closed {
            return Err(LinkError::Closed);
        }
        let found = state.peers.iter().find(|p| p.index == peer);
        let found = found.ok_or(LinkError::Unknown { peer })?;
        let exported = found.link.export(label, context, out);
        exported.map_err(|error| LinkError::Tls { peer, error })
    }

    /// Moves a round's messages: returns when everything awaited has arrived and everything that
    /// leaves has been encrypted (what the sockets do not take follows in the background).
    ///
    /// `check` is called about every 100 ms of waiting; it answers whether to go on. With nothing
    /// to move, it looks once whether a peer gave up or was lost.
    pub fn exchange(
        &self,
        work: &mut Exchange<'_>,
        check: &mut dyn FnMut() -> bool,
    ) -> Result<(), LinkError> {
        if self.shared.busy.swap(true, Ordering::Acquire) {
            return Err(LinkError::Busy);
        }
        let result = {
            let mut state = lock(&self.shared.state);
            let ending = || self.shared.ending.load(Ordering::Relaxed);
            let mut result = state.exchange(work, self.heartbeat, &mut || !ending() && check());
            if result.is_err() {
                state.complete_segments(work);
                if ending() {
                    result = Err(LinkError::Closed);
                }
            }
            if state.peers.iter().any(|p| p.link.wants_write()) {
                lock(&self.shared.duty).backlog = true;
                self.shared.bell.notify_one();
            }
            result
        };
        self.shared.busy.store(false, Ordering::Release);
        result
    }

    /// Says goodbye to all and closes. Waits until the others have read what was sent: for as long
    /// as they get on with it, and at most `patience` for one that does not (see `closing.rs`).
    ///
    /// `check` is called about every 100 ms of waiting; it answers whether to go on.
    pub fn close(&self, patience: Duration, check: &mut dyn FnMut() -> bool) {
        self.end(Kind::Close, &[], patience, check);
    }

    /// Tells all others why this party gives up and closes, waiting at most `patience`.
    pub fn abort(&self, cause: &[u8], patience: Duration) {
        let bound = cause.len().min(ABORT_BYTES as usize);
        self.end(Kind::Abort, &cause[..bound], patience, &mut || true);
    }

    fn end(&self, kind: Kind, payload: &[u8], patience: Duration, check: &mut dyn FnMut() -> bool) {
        // An exchange in another thread ends at its next tick.
        self.shared.ending.store(true, Ordering::Relaxed);
        self.stop_keeper();
        let mut state = lock(&self.shared.state);
        for peer in &mut state.peers {
            peer.queue(kind, payload);
            peer.link.finish();
        }
        let lasting = kind == Kind::Close;
        Closing::new(&mut state.peers, patience, lasting, Instant::now()).run(check);
        state.peers.clear();
        state.closed = true;
    }

    pub(crate) fn stop_keeper(&self) {
        lock(&self.shared.duty).stop = true;
        self.shared.bell.notify_one();
        if let Some(keeper) = lock(&self.keeper).take() {
            let _ = keeper.join();
        }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.stop_keeper();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the background thread does until it is told to stop.
fn keep(shared: &Shared, idle: Duration) {
    let mut pause = FLUSH_PAUSES.0;
    let mut duty = lock(&shared.duty);
    while !duty.stop {
        let wait = if duty.backlog { pause } else { idle / 2 };
        let waited = shared.bell.wait_timeout(duty, wait);
        duty = waited.unwrap_or_else(PoisonError::into_inner).0;
        if duty.stop {
            return;
        }
        duty.backlog = false;
        drop(duty);
        let backlog = match shared.state.try_lock() {
            // An exchange runs: it flushes and sends heartbeats itself, and rings when it ends.
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Poisoned(_)) => return,
            Ok(mut state) => {
                let now = Instant::now();
                let status = Status { awaited: 0, round: state.turn.unwrap_or(state.round) };
                let mut queued = false;
                for peer in &mut state.peers {
                    queued |= !peer.link.flush().unwrap_or(true);
                    peer.keep_alive(status, idle, now);
                }
                queued
            }
        };
        pause = if backlog { (pause * 2).min(FLUSH_PAUSES.1) } else { FLUSH_PAUSES.0 };
        duty = lock(&shared.duty);
        duty.backlog |= backlog;
    }
}
