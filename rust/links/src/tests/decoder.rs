//! The decoder on honest, broken and arbitrary streams, in arbitrary pieces.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::frame::{
    CONTROL_BYTES, Fault, FrameError, HEADER_BYTES, Header, Kind, SEGMENT_BYTES, Status,
};
use crate::message::{Awaited, Decoder, Event, Outgoing};

const TAG: u64 = 0x0123_4567_89ab_cdef;

fn wire(mut message: Outgoing<'_>, sequence: u64, piece: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !message.is_done() {
        message.advance(piece, TAG, sequence, |slices| {
            slices.iter().for_each(|s| bytes.extend_from_slice(s));
        });
    }
    bytes
}

/// Feeds bytes in pieces of the given lengths (cyclically) until the message is there.
fn feed(
    decoder: &mut Decoder,
    mut bytes: &[u8],
    pieces: &[usize],
    awaited: &mut Awaited<'_>,
) -> Result<Vec<Event>, FrameError> {
    let mut events = Vec::new();
    let mut lengths = pieces.iter().cycle();
    while !bytes.is_empty() && !awaited.is_done() {
        let Some(room) = decoder.target(Some(awaited))? else {
            break;
        };
        assert!(!room.is_empty());
        let count = room.len().min(*lengths.next().unwrap()).min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        bytes = &bytes[count..];
        events.extend(decoder.advance(count, Some(awaited))?);
    }
    Ok(events)
}

fn decoder() -> Decoder {
    let mut decoder = Decoder::default();
    decoder.tag = TAG;
    decoder
}

fn header(kind: Kind) -> Header {
    Header { kind, more: false, segment: 0, tag: TAG, sequence: 0, payload: 0, check: 0 }
}

fn receive(bytes: &[u8], payload: usize, check: usize) -> Result<Vec<u8>, FrameError> {
    let mut target = vec![0; payload + check];
    let (first, second) = target.split_at_mut(payload);
    let mut awaited = Awaited::data(vec![first], vec![second]);
    feed(&mut decoder(), bytes, &[usize::MAX], &mut awaited)?;
    Ok(target)
}

proptest! {
    #[test]
    fn what_is_sent_arrives(
        payload in vec(vec(any::<u8>(), 0..50), 0..4),
        check in vec(vec(any::<u8>(), 0..40), 0..3),
        cuts in vec(1usize..90, 1..6),
        piece in 1usize..200,
    ) {
        let parts: Vec<&[u8]> = payload.iter().map(Vec::as_slice).collect();
        let checks: Vec<&[u8]> = check.iter().map(Vec::as_slice).collect();
        let bytes = wire(Outgoing::data(&parts, &checks), 0, piece);
        let mut got: Vec<Vec<u8>> = payload.iter().map(|p| vec![1; p.len()]).collect();
        let mut got_check: Vec<Vec<u8>> = check.iter().map(|p| vec![1; p.len()]).collect();
        let mut awaited = Awaited::data(
            got.iter_mut().map(Vec::as_mut_slice).collect(),
            got_check.iter_mut().map(Vec::as_mut_slice).collect(),
        );
        let mut decoder = decoder();
        feed(&mut decoder, &bytes, &cuts, &mut awaited).unwrap();
        prop_assert!(awaited.is_done());
        prop_assert!(decoder.is_between_messages());
        prop_assert_eq!(decoder.sequence(), 1);
        prop_assert_eq!((got, got_check), (payload, check));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in vec(any::<u8>(), 0..400),
        cuts in vec(1usize..90, 1..6),
        payload in 0usize..100,
    ) {
        let mut target = vec![0; payload];
        let mut awaited = Awaited::data(vec![&mut target], vec![]);
        let _ = feed(&mut decoder(), &bytes, &cuts, &mut awaited);
        let mut awaited = Awaited::control(64);
        let _ = feed(&mut decoder(), &bytes, &cuts, &mut awaited);
    }

    #[test]
    fn almost_valid_frames_never_panic(
        kind in 0u8..6,
        flags in 0u8..3,
        segment in prop_oneof![0u32..60, Just(SEGMENT_BYTES as u32), any::<u32>()],
        tag in prop_oneof![Just(TAG), Just(0), any::<u64>()],
        sequence in 0u64..3,
        payload in prop_oneof![0u64..60, any::<u64>()],
        check in prop_oneof![0u64..60, any::<u64>()],
        body in vec(any::<u8>(), 0..200),
        cuts in vec(1usize..90, 1..6),
        wanted in 0usize..60,
    ) {
        let mut bytes = header(Kind::Data).encode().to_vec();
        bytes[2] = kind;
        bytes[3] = flags;
        bytes[4..8].copy_from_slice(&segment.to_le_bytes());
        bytes[8..16].copy_from_slice(&tag.to_le_bytes());
        bytes[16..24].copy_from_slice(&sequence.to_le_bytes());
        bytes[24..32].copy_from_slice(&payload.to_le_bytes());
        bytes[32..40].copy_from_slice(&check.to_le_bytes());
        bytes.extend(body);
        let mut target = vec![0; wanted];
        let mut awaited = Awaited::data(vec![&mut target], vec![]);
        let result = feed(&mut decoder(), &bytes, &cuts, &mut awaited);
        if awaited.is_done() {
            prop_assert!(result.is_ok());
            prop_assert_eq!((tag, payload + check), (TAG, wanted as u64));
        }
    }

    #[test]
    fn one_changed_header_byte_is_no_message_or_the_same(
        at in 0..HEADER_BYTES,
        change in 1u8..=255,
    ) {
        let message = [7u8; 24];
        let mut bytes = wire(Outgoing::data(&[&message[..16]], &[&message[16..]]), 0, 1 << 20);
        bytes[at] ^= change;
        match receive(&bytes, 16, 8) {
            Err(_) => {}
            // A frame of another kind, too short to be complete, leaves the message missing.
            Ok(target) => prop_assert_ne!(target, message.to_vec()),
        }
    }
}

#[test]
fn long_messages_travel_in_segments() {
    let size = 2 * SEGMENT_BYTES as usize + 5;
    let message: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    let bytes = wire(Outgoing::data(&[&message], &[]), 0, 100_000);
    assert_eq!(bytes.len(), size + 3 * HEADER_BYTES);
    assert_eq!(receive(&bytes, size, 0).unwrap(), message);
}

#[test]
fn between_segments_an_abort_is_seen() {
    let size = SEGMENT_BYTES as usize + 5;
    let message = vec![3; size];
    let mut bytes = wire(Outgoing::data(&[&message], &[]), 0, 1 << 30);
    bytes.truncate(HEADER_BYTES + SEGMENT_BYTES as usize);
    let abort = Header { segment: 3, payload: 3, ..header(Kind::Abort) };
    bytes.extend(abort.encode());
    bytes.extend(b"why");
    let mut target = vec![0; size];
    let mut awaited = Awaited::data(vec![&mut target], vec![]);
    let events = feed(&mut decoder(), &bytes, &[4096], &mut awaited).unwrap();
    assert_eq!(events, [Event::Abort(b"why".to_vec())]);
    assert!(!awaited.is_done());
}

#[test]
fn segments_cannot_be_swapped_between_messages() {
    let size = SEGMENT_BYTES as usize + 5;
    let message = vec![3; size];
    let mut bytes = wire(Outgoing::data(&[&message], &[]), 0, 1 << 30);
    bytes.truncate(HEADER_BYTES + SEGMENT_BYTES as usize);
    let other = wire(Outgoing::data(&[&message], &[]), 1, 1 << 30);
    bytes.extend(&other[HEADER_BYTES + SEGMENT_BYTES as usize..]);
    assert_eq!(receive(&bytes, size, 0).unwrap_err().fault, Fault::Sequence);
}

#[test]
fn the_segments_of_a_message_add_up() {
    let size = SEGMENT_BYTES as usize + 5;
    let message = vec![3; size];
    let good = wire(Outgoing::data(&[&message], &[]), 0, 1 << 30);
    let second = HEADER_BYTES + SEGMENT_BYTES as usize;
    for (segment, more) in [(4u32, 0u8), (6, 0), (0, 0), (SEGMENT_BYTES as u32, 1)] {
        let mut bytes = good.clone();
        bytes[second + 3] = more;
        bytes[second + 4..second + 8].copy_from_slice(&segment.to_le_bytes());
        assert_eq!(receive(&bytes, size, 0).unwrap_err().fault, Fault::Segment);
    }
}

#[test]
fn wrong_lengths_are_refused_with_both_lengths() {
    let bytes = wire(Outgoing::data(&[&[1; 16]], &[&[2; 8]]), 0, 1 << 20);
    let error = receive(&bytes, 24, 8).unwrap_err();
    assert_eq!(error, FrameError::new(Fault::Payload, 24u64, 16u64));
    let error = receive(&bytes, 16, 0).unwrap_err();
    assert_eq!(error, FrameError::new(Fault::Check, 0u64, 8u64));
}

#[test]
fn other_versions_sessions_and_numbers_are_refused() {
    let good = wire(Outgoing::data(&[&[1; 16]], &[]), 0, 1 << 20);
    let fault = |bytes: &[u8]| receive(bytes, 16, 0).unwrap_err().fault;
    let mut bytes = good.clone();
    bytes[0] += 1;
    assert_eq!(fault(&bytes), Fault::Version);
    let mut bytes = good.clone();
    bytes[8] ^= 1;
    assert_eq!(fault(&bytes), Fault::Session);
    assert_eq!(fault(&wire(Outgoing::data(&[&[1; 16]], &[]), 1, 1 << 20)), Fault::Sequence);
    assert_eq!(fault(&wire(Outgoing::control(&[1; 16]), 0, 1 << 20)), Fault::Kind);
}

#[test]
fn a_message_waits_until_it_is_awaited() {
    let first = wire(Outgoing::data(&[&[1; 16]], &[]), 0, 1 << 20);
    let second = wire(Outgoing::data(&[&[2; 8]], &[]), 1, 1 << 20);
    let mut decoder = decoder();
    let mut bytes: &[u8] = &[first, second].concat();
    let mut target = [0; 16];
    let mut awaited = Awaited::data(vec![&mut target], vec![]);
    while let Some(room) = decoder.target(Some(&mut awaited)).unwrap() {
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        bytes = &bytes[count..];
        decoder.advance(count, Some(&mut awaited)).unwrap();
    }
    assert!(awaited.is_done() && decoder.is_held());
    assert_eq!(bytes.len(), 8);
    assert!(decoder.target(None).unwrap().is_none());
    let mut target = [0; 8];
    let mut awaited = Awaited::data(vec![&mut target], vec![]);
    feed(&mut decoder, bytes, &[3], &mut awaited).unwrap();
    assert_eq!(target, [2; 8]);
}

#[test]
fn empty_messages_are_messages() {
    let bytes = wire(Outgoing::data(&[], &[]), 0, 1 << 20);
    assert_eq!(bytes.len(), HEADER_BYTES);
    let mut held = decoder();
    let room = held.target(None).unwrap().unwrap();
    room.copy_from_slice(&bytes);
    held.advance(bytes.len(), None).unwrap();
    assert!(held.is_held());
    let mut awaited = Awaited::data(vec![], vec![]);
    assert!(held.target(Some(&mut awaited)).unwrap().is_some());
    assert!(awaited.is_done());
}

#[test]
fn nothing_large_is_allocated_for_a_claim() {
    let huge = Header { segment: u32::MAX, payload: u64::from(u32::MAX), ..header(Kind::Control) };
    let error = receive(&huge.encode(), 0, 0).unwrap_err();
    assert_eq!(error, FrameError::new(Fault::Segment, CONTROL_BYTES, u32::MAX));
    let large = Header { segment: 65, payload: 65, ..header(Kind::Control) };
    let mut awaited = Awaited::control(64);
    let error = feed(&mut decoder(), &large.encode(), &[9], &mut awaited).unwrap_err();
    assert_eq!(error, FrameError::new(Fault::Payload, 64u64, 65u64));
    let overflow = Header { payload: u64::MAX, check: 1, ..header(Kind::Data) };
    assert_eq!(receive(&overflow.encode(), 0, 0).unwrap_err().fault, Fault::Payload);
}

#[test]
fn heartbeats_carry_their_status() {
    let status = Status { awaited: 0b101, round: 77 };
    let beat = Header { segment: 16, payload: 16, ..header(Kind::Heartbeat) };
    let bytes = [&beat.encode()[..], &status.encode()].concat();
    let mut awaited = Awaited::control(0);
    let events = feed(&mut decoder(), &bytes, &[7], &mut awaited).unwrap();
    assert_eq!(events, [Event::Heartbeat(status)]);
}
