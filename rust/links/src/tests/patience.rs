//! The rules of `patience.rs`, one by one, in invented time.

use std::time::{Duration, Instant};

use crate::frame::Status;
use crate::patience::{Complaint, Patience, Standing, View};

const LIMIT: Duration = Duration::from_secs(10);
const OWN: usize = 0;
const TURN: u64 = 7;

fn status(round: u64, awaited: &[usize]) -> Option<Status> {
    Some(Status { round, awaited: awaited.iter().fold(0, |mask, peer| mask | 1 << peer) })
}

fn view(peer: usize, due: bool, status: Option<Status>, advanced: Instant) -> View {
    View { peer, due, held: false, status, advanced }
}

/// What a party that has waited for 1 and 2 from `begun` on says of these peers `seconds` later.
fn after(seconds: u64, begun: Instant, views: &[View]) -> Option<Complaint> {
    let mut patience = Patience::new(LIMIT, OWN, TURN, 0b110, begun);
    patience.complaint(views, begun);
    patience.complaint(views, begun + Duration::from_secs(seconds))
}

#[test]
fn a_peer_whose_message_is_due_and_that_works_is_late() {
    let begun = Instant::now();
    for said in [None, status(TURN - 1, &[]), status(TURN, &[]), status(TURN, &[OWN])] {
        let views = [view(1, true, said, begun)];
        assert_eq!(after(9, begun, &views), None);
        assert_eq!(after(11, begun, &views), Some(Complaint::Late(1)), "{said:?}");
    }
}

#[test]
fn a_peer_that_waits_for_somebody_else_is_not() {
    let begun = Instant::now();
    let views = [view(1, true, status(TURN, &[OWN, 2]), begun - LIMIT)];
    let other = [view(1, true, status(TURN - 3, &[3]), begun - LIMIT)];
    assert_eq!(after(29, begun, &other), None);
    // It waits for this party too, which has sent.
    assert_eq!(after(11, begun, &views), Some(Complaint::Late(1)));
}

#[test]
fn a_peer_that_claims_to_wait_for_what_was_sent_is_refuted() {
    let begun = Instant::now();
    let views = [view(1, false, status(TURN - 2, &[OWN]), begun)];
    assert_eq!(after(11, begun, &views), Some(Complaint::Late(1)));
    // Of an exchange that this party has not reached, it is this party that is late.
    let later = [view(1, false, status(TURN + 1, &[OWN]), begun)];
    assert_eq!(after(29, begun, &later), None);
}

#[test]
fn a_peer_that_is_past_its_message_has_not_sent_it() {
    let begun = Instant::now();
    let mut patience = Patience::new(LIMIT, OWN, TURN, 0b10, begun);
    for second in 0..9 {
        let now = begun + Duration::from_secs(second);
        // It gets on all the time, as it says; that buys it nothing.
        let views = [view(1, true, status(TURN + 1 + second, &[2]), now)];
        assert_eq!(patience.complaint(&views, now), None);
    }
    let now = begun + Duration::from_secs(11);
    let views = [view(1, true, status(TURN + 20, &[2]), now)];
    assert_eq!(patience.complaint(&views, now), Some(Complaint::Late(1)));
}

#[test]
fn whoever_gets_on_is_waited_for() {
    let begun = Instant::now();
    let moved = begun + Duration::from_secs(8);
    let views = [view(1, true, status(TURN, &[]), moved)];
    assert_eq!(after(17, begun, &views), None);
    assert_eq!(after(19, begun, &views), Some(Complaint::Late(1)));
}

#[test]
fn what_was_said_behind_a_message_that_nobody_awaits_is_not_known() {
    let begun = Instant::now();
    let held = View { held: true, ..view(1, false, status(TURN - 2, &[OWN]), begun) };
    assert_eq!(after(29, begun, &[held]), None);
}

#[test]
fn when_nothing_changes_for_long_and_nobody_is_to_blame_it_is_stuck() {
    let begun = Instant::now();
    let views =
        [view(1, true, status(TURN, &[2]), begun), view(2, true, status(TURN, &[1]), begun)];
    assert_eq!(after(29, begun, &views), None);
    assert_eq!(after(31, begun, &views), Some(Complaint::Stuck));
    let moves = [views[0], view(2, true, status(TURN, &[1]), begun + Duration::from_secs(5))];
    assert_eq!(after(31, begun, &moves), None);
}

#[test]
fn standing_is_what_held_a_while_ago() {
    let begun = Instant::now();
    let at = |seconds| begun + Duration::from_secs(seconds);
    let mut patience = Patience::new(LIMIT, OWN, TURN, 0b110, begun);
    patience.note(0b110, at(1));
    patience.note(0b100, at(16));
    let stood =
        |awaited, steady| Some(Standing { status: Status { round: TURN, awaited }, steady });
    assert_eq!(patience.standing(at(19)), None); // 20 seconds ago there was another exchange
    assert_eq!(patience.standing(at(24)), stood(0b110, true));
    assert_eq!(patience.standing(at(27)), stood(0b110, false));
    assert_eq!(patience.standing(at(32)), stood(0b100, false));
    assert_eq!(patience.standing(at(37)), stood(0b100, true));
    patience.restart(at(38));
    assert_eq!(patience.standing(at(40)), None);
}

#[test]
fn settled_is_what_did_not_change_for_long() {
    let begun = Instant::now();
    let patience = Patience::new(LIMIT, OWN, TURN, 0b110, begun);
    let said = status(TURN, &[2]);
    let views = [
        view(1, true, said, begun),
        view(2, true, said, begun + LIMIT),
        view(3, false, None, begun),
    ];
    let now = begun + Duration::from_secs(31);
    assert_eq!(patience.settled(&views, now), [(1, said.unwrap())]);
}

#[test]
fn a_status_advances_by_a_later_exchange_or_fewer_to_wait_for() {
    let said = |round, awaited: &[usize]| status(round, awaited).unwrap();
    assert!(said(3, &[1]).follows(&said(2, &[])));
    assert!(said(2, &[]).follows(&said(2, &[1])));
    assert!(said(2, &[1]).follows(&said(2, &[1, 2])));
    assert!(!said(2, &[1]).follows(&said(2, &[1])));
    assert!(!said(2, &[2]).follows(&said(2, &[1])));
    assert!(!said(2, &[1]).follows(&said(2, &[])));
    assert!(!said(1, &[]).follows(&said(2, &[1])));
}
