//! How long a party that has finished waits for others to read: real sockets, invented time.

use std::thread::{scope, yield_now};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};

use super::exchange::{LONG, mesh, message, run};
use super::handshake::{Authority, pair};
use crate::closing::{Closing, LEAST_RATE, Parting};
use crate::frame::Kind;
use crate::link::Link;
use crate::links::Links;
use crate::message::Outgoing;
use crate::peer::Peer;

/// Short, so that the least rate lets every step pass.
const LIMIT: Duration = Duration::from_millis(1);
const SIZE: usize = 16 << 20;

/// A party that has finished with all of a long message and its goodbye queued, and the other end.
fn finished(now: Instant) -> ([Peer; 1], Link) {
    let authority = Authority::new();
    let (alice, bob) = (authority.identity("alice"), authority.identity("bob"));
    let (dial, accept) = pair(&bob, &alice, "alice");
    set_socket_send_buffer_size(&dial, 64 << 10).unwrap();
    set_socket_recv_buffer_size(&accept, 64 << 10).unwrap();
    let mut peer = Peer::new(0, dial, now);
    let payload = message(SIZE, 1);
    let mut long = Outgoing::data(&[&payload], &[]);
    while !long.is_done() {
        peer.push(Some(&mut long), usize::MAX).unwrap();
    }
    peer.queue(Kind::Close, &[]);
    peer.link.finish();
    ([peer], accept)
}

#[test]
fn whoever_reads_on_gets_all_of_it_however_slowly() {
    let begun = Instant::now();
    let (mut peers, accept) = finished(begun);
    let reader = Links::new(0, vec![(1, accept)], LONG).unwrap();
    scope(|threads| {
        threads.spawn(|| {
            let mut awaits = [(1, vec![0; SIZE])];
            run(&reader, &[], &mut awaits, None).unwrap();
            assert_eq!(awaits[0].1, message(SIZE, 1));
            reader.close(LONG, &mut || true);
        });
        // Nearly the whole limit passes between any two steps of the reader.
        let mut closing = Closing::new(&mut peers, LIMIT, true, begun);
        let (mut now, mut last) = (begun, closing.confirmed());
        while closing.look(now).is_some() {
            if closing.confirmed() > last {
                last = closing.confirmed();
                now += LIMIT * 9 / 10;
            }
            yield_now();
        }
        drop(closing);
        drop(peers);
        assert!(now - begun > 3 * LIMIT);
    });
}

#[test]
fn a_peer_that_does_not_read_costs_the_limit_once() {
    let begun = Instant::now();
    let (mut peers, _unread) = finished(begun);
    let mut closing = Closing::new(&mut peers, LIMIT, true, begun);
    let (mut now, mut last, mut still) = (begun, closing.confirmed(), 0);
    while closing.look(now).is_some() {
        if closing.confirmed() > last {
            (last, still) = (closing.confirmed(), 0);
        } else {
            now += LIMIT / 2;
            still += 1;
        }
    }
    assert_eq!(still, 2);
    assert!(last < SIZE as u64);
}

#[test]
fn a_cause_is_waited_for_no_longer_because_bytes_move() {
    let begun = Instant::now();
    let (mut peers, mut reader) = finished(begun);
    let mut closing = Closing::new(&mut peers, LIMIT, false, begun);
    let (before, later) = (closing.confirmed(), begun + LIMIT / 2);
    while closing.confirmed() == before {
        assert_eq!(closing.look(later), Some(LIMIT / 2));
        reader.drain();
    }
    assert_eq!(closing.look(later), Some(LIMIT / 2));
    assert_eq!(closing.look(begun + LIMIT), None);
}

#[test]
fn a_trickle_does_not_hold_a_party() {
    let (begun, limit) = (Instant::now(), Duration::from_secs(1));
    let mut parting = Parting::new(limit, 1000, begun);
    let (mut now, mut confirmed) = (begun, 1000);
    while now < parting.until() {
        confirmed += 1;
        parting.note(confirmed, now);
        now += limit / 2;
    }
    assert_eq!(now, begun + 3 * limit / 2);
    // A queue is waited for as long as it takes at the least rate.
    let mut parting = Parting::new(limit, 0, begun);
    let (mut now, mut confirmed) = (begun, 0);
    while now < parting.until() && confirmed < 32 << 20 {
        now += limit * 9 / 10;
        confirmed += LEAST_RATE * 9 / 10;
        parting.note(confirmed, now);
    }
    assert!(confirmed >= 32 << 20);
    parting.note(confirmed + 1, now + limit / 2);
    assert!(parting.until() <= now + limit + limit / 2);
}

#[test]
fn the_caller_can_stop_a_close() {
    let parties = mesh(2, LONG);
    let (begun, mut calls) = (Instant::now(), 0);
    parties[0].close(LONG * 100, &mut || {
        calls += 1;
        calls < 3
    });
    assert_eq!(calls, 3);
    assert!(begun.elapsed() < LONG * 50);
    assert!(run(&parties[0], &[], &mut [], None).is_err());
}
