//! Exchanges between parties in threads of this process, over real sockets.

use std::sync::mpsc;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use super::handshake::{Authority, pair};
use crate::error::{LinkError, Loss};
use crate::exchange::{Exchange, State};
use crate::frame::{Fault, SEGMENT_BYTES, Status};
use crate::link::Link;
use crate::links::Links;
use crate::message::{Awaited, Outgoing};
use crate::peer::Peer;

pub(super) const LONG: Duration = Duration::from_secs(5);

/// All links between `count` parties.
pub(super) fn mesh(count: usize, heartbeat: Duration) -> Vec<Links> {
    partial_mesh(count, heartbeat, |_, _| true)
}

/// Those links between parties i < j that exist.
fn partial_mesh(
    count: usize,
    heartbeat: Duration,
    exists: impl Fn(usize, usize) -> bool,
) -> Vec<Links> {
    let authority = Authority::new();
    let names: Vec<String> = (0..count).map(|i| format!("party{i}")).collect();
    let identities: Vec<_> = names.iter().map(|n| authority.identity(n)).collect();
    let mut links: Vec<Vec<(usize, Link)>> = (0..count).map(|_| Vec::new()).collect();
    for low in 0..count {
        for high in (low + 1..count).filter(|high| exists(low, *high)) {
            let (dial, accept) = pair(&identities[high], &identities[low], &names[low]);
            links[high].push((low, dial));
            links[low].push((high, accept));
        }
    }
    let all = links.into_iter().enumerate();
    all.map(|(i, links)| Links::new(i, links, heartbeat).unwrap()).collect()
}

pub(super) fn run(
    links: &Links,
    sends: &[(usize, &[u8])],
    awaits: &mut [(usize, Vec<u8>)],
    deadline: Option<Duration>,
) -> Result<(), LinkError> {
    let mut work = Exchange {
        sends: sends.iter().map(|(p, m)| (*p, Outgoing::data(&[m], &[]))).collect(),
        awaits: awaits
            .iter_mut()
            .map(|(p, target)| (*p, Awaited::data(vec![target], vec![])))
            .collect(),
        round: 1,
        deadline: deadline.map(|d| Instant::now() + d),
        patience: None,
    };
    links.exchange(&mut work, &mut || true)
}

pub(super) fn message(size: usize, seed: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + seed * 7) as u8).collect()
}

#[test]
fn three_parties_exchange_in_a_ring() {
    let parties = mesh(3, LONG);
    for size in [0, 1, 1000, 16_384, 3 * SEGMENT_BYTES as usize + 17] {
        scope(|threads| {
            for (me, links) in parties.iter().enumerate() {
                threads.spawn(move || {
                    let own = message(size, me);
                    let (previous, next) = ((me + 2) % 3, (me + 1) % 3);
                    for _ in 0..3 {
                        let mut awaits = [(next, vec![0; size])];
                        run(links, &[(previous, &own)], &mut awaits, None).unwrap();
                        assert_eq!(awaits[0].1, message(size, next));
                    }
                });
            }
        });
    }
}

#[test]
fn large_messages_in_both_directions_do_not_block_each_other() {
    let parties = mesh(2, LONG);
    let size = 64 << 20;
    scope(|threads| {
        for (me, links) in parties.iter().enumerate() {
            threads.spawn(move || {
                let mut awaits = [(1 - me, vec![0; size])];
                run(links, &[(1 - me, &message(size, me))], &mut awaits, None).unwrap();
                assert_eq!(awaits[0].1, message(size, 1 - me));
            });
        }
    });
}

#[test]
fn sending_alone_does_not_wait_for_the_receiver() {
    let parties = mesh(2, LONG);
    let size = 24 << 20;
    // Both send three large messages before either receives one.
    scope(|threads| {
        for (me, links) in parties.iter().enumerate() {
            threads.spawn(move || {
                for round in 0..3 {
                    run(links, &[(1 - me, &message(size, me + round))], &mut [], None).unwrap();
                }
                for round in 0..3 {
                    let mut awaits = [(1 - me, vec![0; size])];
                    run(links, &[], &mut awaits, None).unwrap();
                    assert_eq!(awaits[0].1, message(size, 1 - me + round));
                }
            });
        }
    });
}

#[test]
fn what_is_left_queued_follows_in_the_background() {
    let parties = mesh(2, LONG);
    let size = 24 << 20;
    run(&parties[0], &[(1, &message(size, 0))], &mut [], None).unwrap();
    let mut awaits = [(0, vec![0; size])];
    run(&parties[1], &[], &mut awaits, Some(LONG)).unwrap();
    assert_eq!(awaits[0].1, message(size, 0));
}

#[test]
fn keys_are_renewed_in_the_middle_of_a_message() {
    let authority = Authority::new();
    let (alice, bob) = (authority.short_keys("alice", 5), authority.short_keys("bob", 7));
    let (dial, accept) = pair(&bob, &alice, "alice");
    let parties = [
        Links::new(0, vec![(1, accept)], LONG).unwrap(),
        Links::new(1, vec![(0, dial)], LONG).unwrap(),
    ];
    let size = 2_000_000;
    scope(|threads| {
        for (me, links) in parties.iter().enumerate() {
            threads.spawn(move || {
                for _ in 0..4 {
                    let mut awaits = [(1 - me, vec![0; size])];
                    run(links, &[(1 - me, &message(size, me))], &mut awaits, None).unwrap();
                    assert_eq!(awaits[0].1, message(size, 1 - me));
                }
            });
        }
    });
}

#[test]
fn a_wrong_length_names_peer_and_both_lengths() {
    let parties = mesh(2, LONG);
    run(&parties[0], &[(1, &[1; 16])], &mut [], None).unwrap();
    let error = run(&parties[1], &[], &mut [(0, vec![0; 24])], None).unwrap_err();
    let LinkError::Frame { peer: 0, round: 1, sequence: 0, error } = error else {
        panic!("{error:?}");
    };
    assert_eq!((error.fault, error.expected, error.received), (Fault::Payload, 24, 16));
}

#[test]
fn a_lost_peer_is_named_by_all() {
    let mut parties = mesh(3, LONG);
    drop(parties.pop());
    for (me, links) in parties.iter().enumerate() {
        // Party 1 does not wait for the lost party and notices all the same.
        let awaited = if me == 0 { 2 } else { 0 };
        let error = run(links, &[], &mut [(awaited, vec![0; 8])], Some(LONG)).unwrap_err();
        assert!(matches!(error, LinkError::Lost { peer: 2, how: Loss::Ended | Loss::Reset }));
    }
}

#[test]
fn a_cause_reaches_a_party_that_waits_for_another() {
    let parties = mesh(3, LONG);
    scope(|threads| {
        let waiting = threads.spawn(|| run(&parties[0], &[], &mut [(1, vec![0; 8])], Some(LONG)));
        parties[2].abort(b"disk full", Duration::from_millis(200));
        let error = waiting.join().unwrap().unwrap_err();
        let LinkError::Aborted { peer: 2, cause } = error else {
            panic!("{error:?}");
        };
        assert_eq!(cause, b"disk full");
        parties[0].abort(b"", Duration::ZERO);
    });
}

#[test]
fn a_cause_reaches_a_party_that_only_sends() {
    let parties = mesh(3, LONG);
    parties[2].abort(b"disk full", Duration::ZERO);
    let begun = Instant::now();
    let error = loop {
        if let Err(error) = run(&parties[0], &[(1, &[1; 8])], &mut [], None) {
            break error;
        }
        assert!(begun.elapsed() < LONG);
    };
    assert!(matches!(error, LinkError::Aborted { peer: 2, .. }), "{error:?}");
}

#[test]
fn a_cause_follows_what_was_sent_before() {
    let parties = mesh(2, LONG);
    let size = 24 << 20;
    run(&parties[0], &[(1, &message(size, 0))], &mut [], None).unwrap();
    scope(|threads| {
        threads.spawn(|| parties[0].abort(b"why", LONG));
        let mut awaits = [(0, vec![0; size])];
        run(&parties[1], &[], &mut awaits, Some(LONG)).unwrap();
        assert_eq!(awaits[0].1, message(size, 0));
        let error = run(&parties[1], &[], &mut [(0, vec![0; 8])], Some(LONG)).unwrap_err();
        assert!(matches!(error, LinkError::Aborted { peer: 0, .. }), "{error:?}");
        parties[1].close(Duration::ZERO, &mut || true);
    });
}

#[test]
fn an_exchange_that_fails_in_a_long_message_still_tells_the_cause() {
    // Party 0 fills the socket to 1, which does not read, and then learns that 2 is gone. Wherever
    // in a segment it stopped, 1 later reads as far as the cause.
    for before in 1..4 {
        let parties = partial_mesh(3, LONG, |low, _| low == 0);
        let (first, long) = (message(before << 18, 0), message(64 << 20, 0));
        run(&parties[0], &[(1, &first)], &mut [], None).unwrap();
        scope(|threads| {
            let (stuck, told) = mpsc::channel();
            let (parties, long) = (&parties, &long);
            let sending = threads.spawn(move || {
                let mut target = [0; 8];
                let mut work = Exchange {
                    sends: vec![(1, Outgoing::data(&[long], &[]))],
                    awaits: vec![(2, Awaited::data(vec![&mut target], vec![]))],
                    round: 2,
                    deadline: None,
                    patience: None,
                };
                let error = parties[0].exchange(&mut work, &mut || stuck.send(()).is_ok());
                assert!(matches!(error, Err(LinkError::Aborted { peer: 2, .. })), "{error:?}");
            });
            told.recv().unwrap();
            parties[2].abort(b"gone", Duration::ZERO);
            sending.join().unwrap();
            threads.spawn(|| parties[0].abort(b"2 is gone", LONG));
            run(&parties[1], &[], &mut [(0, vec![0; first.len()])], Some(LONG)).unwrap();
            let mut awaits = [(0, vec![0; long.len()])];
            let error = run(&parties[1], &[], &mut awaits, Some(LONG)).unwrap_err();
            let LinkError::Aborted { peer: 0, cause } = error else {
                panic!("{error:?}");
            };
            assert_eq!(cause, b"2 is gone");
            parties[1].close(Duration::ZERO, &mut || true);
        });
    }
}

#[test]
fn an_early_goodbye_is_no_loss_until_something_is_awaited() {
    let parties = mesh(2, LONG);
    run(&parties[0], &[(1, &[1; 8])], &mut [], None).unwrap();
    scope(|threads| {
        threads.spawn(|| parties[0].close(LONG, &mut || true));
        run(&parties[1], &[], &mut [(0, vec![0; 8])], Some(LONG)).unwrap();
        let error = run(&parties[1], &[], &mut [(0, vec![0; 8])], Some(LONG)).unwrap_err();
        assert!(matches!(error, LinkError::Left { peer: 0 }), "{error:?}");
        parties[1].close(LONG, &mut || true);
    });
    let error = run(&parties[1], &[], &mut [], None).unwrap_err();
    assert!(matches!(error, LinkError::Closed));
}

#[test]
fn a_goodbye_that_comes_as_the_last_is_sent_is_no_loss() {
    // Who has all that it awaits leaves at once, perhaps before the sender looks again. Here it has
    // left even before: one look sends all and finds the goodbye.
    let parties = mesh(2, LONG);
    parties[0].close(Duration::ZERO, &mut || true);
    sleep(Duration::from_millis(200)); // links that nothing is awaited from are looked at again
    run(&parties[1], &[(0, &[1; 8])], &mut [], None).unwrap();
    let long = message(64 << 20, 1);
    let error = run(&parties[1], &[(0, &long)], &mut [], Some(LONG)).unwrap_err();
    assert!(matches!(error, LinkError::Left { peer: 0 }), "{error:?}");
}

#[test]
fn heartbeats_keep_a_computing_party_alive_and_its_silence_is_noticed() {
    let parties = mesh(2, Duration::from_millis(600));
    scope(|threads| {
        threads.spawn(|| {
            sleep(Duration::from_millis(1300));
            run(&parties[0], &[(1, &[1; 8])], &mut [], None).unwrap();
        });
        run(&parties[1], &[], &mut [(0, vec![0; 8])], Some(LONG)).unwrap();
    });
    // A peer without its background thread is silent, though its socket is open.
    parties[0].stop_keeper();
    let error = run(&parties[1], &[], &mut [(0, vec![0; 8])], Some(LONG)).unwrap_err();
    assert!(matches!(error, LinkError::Lost { peer: 0, how: Loss::Silent }), "{error:?}");
}

#[test]
fn a_gap_of_half_the_heartbeat_timeout_is_no_silence_of_others() {
    let (heartbeat, gap) = (Duration::from_secs(1), Duration::from_millis(700));
    let parties = mesh(2, heartbeat);
    parties[0].stop_keeper();
    let (begun, mut gaps) = (Instant::now(), 1);
    let mut target = [0; 8];
    let mut work = Exchange {
        sends: vec![],
        awaits: vec![(0, Awaited::data(vec![&mut target], vec![]))],
        round: 1,
        deadline: None,
        patience: None,
    };
    // As if this process had been stopped for a while.
    let stopped = &mut || {
        sleep(gap * std::mem::take(&mut gaps));
        true
    };
    let error = parties[1].exchange(&mut work, stopped).unwrap_err();
    assert!(matches!(error, LinkError::Lost { peer: 0, how: Loss::Silent }), "{error:?}");
    assert!(begun.elapsed() >= gap + heartbeat);
}

#[test]
fn the_deadline_names_the_party_that_all_wait_for() {
    let parties = mesh(3, LONG);
    // 0 waits for 1, 1 waits for 2, 2 is alive and does nothing.
    scope(|threads| {
        let deadline = Some(Duration::from_millis(800));
        let waits: Vec<_> = [(0, 1), (1, 2)]
            .map(|(me, peer): (usize, usize)| {
                let links = &parties[me];
                threads.spawn(move || run(links, &[], &mut [(peer, vec![0; 8])], deadline))
            })
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap_err())
            .collect();
        for error in waits {
            assert!(matches!(error, LinkError::Deadline { peer: 2 }), "{error:?}");
        }
    });
}

#[test]
fn an_old_word_of_whom_a_party_waits_for_blames_nobody() {
    let authority = Authority::new();
    let names = ["alice", "bob", "carol"];
    let identities = names.map(|name| authority.identity(name));
    let now = Instant::now();
    let peer = |at: usize| Peer::new(at, pair(&identities[0], &identities[at], names[at]).0, now);
    let mut state = State::new(0, vec![peer(1), peer(2)], now);
    let mut target = [0; 8];
    let work = Exchange {
        sends: vec![],
        awaits: vec![(1, Awaited::data(vec![&mut target], vec![]))],
        round: 6,
        deadline: None,
        patience: None,
    };
    // 1 waits for 2 in exchange 5; where 2 is, nobody knows, or it is there as well, or behind.
    state.peers[0].status = Some((Status { awaited: 1 << 2, round: 5 }, now));
    assert_eq!(state.blame(&work), 2);
    for round in [4, 5] {
        state.peers[1].status = Some((Status { awaited: 0, round }, now));
        assert_eq!(state.blame(&work), 2);
    }
    // 2 is past it, and has sent all of it.
    state.peers[1].status = Some((Status { awaited: 1 << 1, round: 6 }, now));
    assert_eq!(state.blame(&work), 1);
}

#[test]
fn the_caller_can_stop_a_wait() {
    let parties = mesh(2, LONG);
    let mut target = [0; 8];
    let mut work = Exchange {
        sends: vec![],
        awaits: vec![(1, Awaited::data(vec![&mut target], vec![]))],
        round: 1,
        deadline: None,
        patience: None,
    };
    let mut calls = 0;
    let error = parties[0].exchange(&mut work, &mut || {
        calls += 1;
        calls < 3
    });
    assert!(matches!(error, Err(LinkError::Interrupted)));
    assert_eq!(calls, 3);
}

#[test]
fn unknown_parties_are_refused() {
    let parties = mesh(2, LONG);
    let error = run(&parties[0], &[(5, &[1])], &mut [], None).unwrap_err();
    assert!(matches!(error, LinkError::Unknown { peer: 5 }));
}
