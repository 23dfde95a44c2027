"""What four saved opens for three of them, and what three saved for four, one of whom was away."""

from __future__ import annotations

import shutil
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulation import FOUR

import tacit
from tacit.errors import StorageError, TacitError, VerificationError
from tacit.sessions import opening
from tacit.sessions.storage_steps import load_step
from tacit.storage import listing, places

X = np.linspace(-3, 3, 14).reshape(2, 7)
N = np.arange(-4, 5)
B = (np.arange(130) % 3 == 0).reshape(2, 65)
AWAY = pytest.mark.parametrize("away", FOUR)


def four(folder: Path, **options: Any) -> Any:
    return tacit.local("fantastic4", parties=FOUR, storage=folder, **options)


def three(folder: Path, names: Any) -> Any:
    return tacit.local("replicated3_active", parties=tuple(names), storage=folder)


def without(away: str) -> list[str]:
    return [name for name in FOUR if name != away]


def save_all(mpc: Any, owner: str = "alice") -> None:
    mpc.save(mpc.share(X, owner=owner, bounds=(-4, 4)), "x", uses=tacit.Uses(reveal_to=("bob",)))
    mpc.save(mpc.share(N, owner=owner, dtype=tacit.int16), "n")
    mpc.save(mpc.share(B, owner=owner), "b")
    mpc.save(mpc.share(np.array(2.5), owner=owner), "scalar")


def check_all(mpc: Any) -> None:
    reader = "bob" if "bob" in mpc.parties else mpc.parties[0]
    if reader == "bob":
        x = mpc.load("x")
        assert x._reference.bounds == pytest.approx((-4, 4), abs=1e-3)
        np.testing.assert_allclose((x * 1).reveal(to="bob")["bob"], X, atol=1e-4)
    np.testing.assert_array_equal(mpc.load("n").reveal(to=reader)[reader], N)
    np.testing.assert_array_equal(mpc.load("b").reveal(to=reader)[reader], B)
    assert float(mpc.load("scalar").reveal(to=reader)[reader]) == 2.5


@AWAY
def test_three_of_four_open_what_four_saved(tmp_path: Path, away: str) -> None:
    with four(tmp_path) as mpc:
        save_all(mpc)
    with three(tmp_path, without(away)) as mpc:
        check_all(mpc)
        product = mpc.load("n") * mpc.load("n")
        np.testing.assert_array_equal(product.reveal(to="all"), N * N)


def test_in_any_order(tmp_path: Path) -> None:
    with four(tmp_path) as mpc:
        save_all(mpc)
    for names in permutations(without("carol")):
        with three(tmp_path, names) as mpc:
            check_all(mpc)


@AWAY
def test_four_go_on_from_what_three_saved(tmp_path: Path, away: str) -> None:
    with four(tmp_path) as mpc:
        mpc.save(mpc.share(X * 0, owner="alice"), "x")
    names = without(away)
    order = names[1:] + names[:1]
    with three(tmp_path, order) as mpc:
        save_all(mpc, names[0])
        assert {h.parties for h in mpc.stored() if h.version == 2} == {tuple(order)}
    with four(tmp_path) as mpc:
        check_all(mpc)
        product = mpc.load("n") * mpc.load("n")
        np.testing.assert_array_equal(product.reveal(to="all"), N * N)
        saved = mpc.save(mpc.load("n"), "n")
        assert (saved.parties, saved.version) == (FOUR, 2)
    with four(tmp_path) as mpc:
        np.testing.assert_array_equal(mpc.load("n").reveal(to="all"), N)


@AWAY
def test_a_party_that_lost_its_disk(tmp_path: Path, away: str) -> None:
    """Shared among four, and still held by three: the fourth gets new shares."""
    with four(tmp_path) as mpc:
        save_all(mpc)
    shutil.rmtree(tmp_path / away)
    with four(tmp_path) as mpc:
        check_all(mpc)


def test_not_if_two_lack_it(tmp_path: Path) -> None:
    with four(tmp_path) as mpc:
        save_all(mpc)
    for name in ("alice", "dave"):
        shutil.rmtree(tmp_path / name)
    with four(tmp_path) as mpc, pytest.raises(StorageError) as caught:
        mpc.load("n")
    assert caught.value.code == "TC-2319"
    assert caught.value.parties == ("alice", "dave")


def held(mpc: Any, name: str) -> list[Any]:
    session: Any = mpc.session
    return [v[0].share for _, v in session._keep(lambda k: load_step(k, "entry", name, None))]


def test_what_the_fourth_gets_is_new(tmp_path: Path) -> None:
    """No share of before is one of now, at anybody."""
    with four(tmp_path) as mpc:
        mpc.save(mpc.share(np.arange(64), owner="alice", dtype=tacit.int64), "n")
        before = held(mpc, "n")
    with three(tmp_path, without("dave")) as mpc:
        mpc.save(mpc.load("n"), "n")
    with four(tmp_path) as mpc:
        now = held(mpc, "n")
        again = held(mpc, "n")
    for old, new in ((before, now), (now, again)):
        for party in range(4):
            for share in new[party].shares.values():
                assert all((share != s).all() for part in old for s in part.shares.values())


def test_refreshed_without_the_fourth(tmp_path: Path) -> None:
    """Its old shares are of no use to it, and it gets new ones."""
    with four(tmp_path) as mpc:
        save_all(mpc)
    with three(tmp_path, without("carol")) as mpc:
        assert {h.epoch for h in mpc.refresh()} == {1}
        check_all(mpc)
    with four(tmp_path) as mpc:
        check_all(mpc)
        with pytest.raises(StorageError) as caught:
            mpc.refresh()
        assert caught.value.parties == ("carol",)
    assert [h.name for h in listing(tmp_path / "carol")] == []


def test_a_part_that_was_exchanged_is_found(tmp_path: Path) -> None:
    """Three save it; one of them comes with the file of another moment."""
    with three_saved(tmp_path) as mpc, pytest.raises(VerificationError) as caught:
        mpc.load("n")
    assert caught.value.code == "TC-5213"


def three_saved(folder: Path) -> Any:
    """Folders of which bob's has other shares under the same header, as a lie would."""
    from tacit.storage.sealed import byte_view
    from tacit.storage.store import Store

    with four(folder) as mpc:
        mpc.save(mpc.share(N, owner="alice"), "n")
    place = places(folder, FOUR)["bob"]
    with Store(place, "bob", FOUR, "fantastic4") as store:
        (holding,) = store.holdings("n")
        header = holding.header
        with store.reading(holding) as source:
            data = np.empty(3 * 8 * N.size, np.uint8)
            source.read_into(byte_view(data))
            source.finish()
        data[5] ^= 1
        store.destroy(holding)
        with store.writing(header) as (new, out):
            out.write(byte_view(data))
        store.promote(new)
    return three(folder, without("dave"))


@pytest.mark.parametrize("liars", [("alice",), ("bob",), ("alice", "bob", "carol")])
def test_what_is_public_is_believed_only_as_all_agreed(
    tmp_path: Path, liars: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dave was away and takes type, shape and uses from the others; one of them lies."""
    with four(tmp_path) as mpc:
        mpc.save(mpc.share(N, owner="alice"), "n", uses=tacit.Uses(reveal_to=("bob",)))
    shutil.rmtree(tmp_path / "dave")
    honest = opening.exchange

    def lying(member: Any, message: bytes) -> Any:
        if member.names[member.index] in liars:
            message = message.replace(b"bob", b"eve", 1) + b" "
        return (yield from honest(member, message))

    monkeypatch.setattr(opening, "exchange", lying)
    with four(tmp_path) as mpc:
        if len(liars) == 1:
            np.testing.assert_array_equal(mpc.load("n").reveal(to="bob")["bob"], N)
        else:
            with pytest.raises(VerificationError) as caught:
                mpc.load("n")
            assert caught.value.code == "TC-5215"


# Checkpoints.


def save_checkpoint(mpc: Any, step: int) -> None:
    mpc.session.save(
        [mpc.share(np.array([float(step)]), owner="alice")._reference],
        "job",
        names=("state",),
        public=bytes([step]),
        purpose="checkpoint",
        keep=2,
    )


def resumed(mpc: Any) -> tuple[int, float] | None:
    found = mpc.session.resume("job")
    if found is None:
        return None
    header, (reference,) = found
    value = mpc.session.reveal(reference, ("alice",))["alice"]
    return header.public[0], float(value[0])


def test_a_checkpoint_of_four_goes_on_with_three(tmp_path: Path) -> None:
    with four(tmp_path) as mpc:
        save_checkpoint(mpc, 1)
        save_checkpoint(mpc, 2)
    with three(tmp_path, without("dave")) as mpc:
        assert resumed(mpc) == (2, 2.0)
        save_checkpoint(mpc, 3)
    with three(tmp_path, without("dave")) as mpc:
        assert resumed(mpc) == (3, 3.0)


def test_the_fourth_comes_back_at_the_newest_checkpoint_and_at_no_older_one(
    tmp_path: Path,
) -> None:
    with four(tmp_path) as mpc:
        save_checkpoint(mpc, 1)
        save_checkpoint(mpc, 2)
    with three(tmp_path, without("dave")) as mpc:
        save_checkpoint(mpc, 3)
    with four(tmp_path) as mpc:
        assert resumed(mpc) == (3, 3.0)
    for name in FOUR:
        steps = [h.public[0] for h in listing(tmp_path / name)]
        assert steps == ([] if name == "dave" else [3])
        assert {h.epoch for h in listing(tmp_path / name)} <= {1}  # refreshed by the three
    with four(tmp_path) as mpc:
        assert resumed(mpc) == (3, 3.0)
        save_checkpoint(mpc, 4)
    with four(tmp_path) as mpc:
        assert resumed(mpc) == (4, 4.0)


def test_nobody_goes_back_to_before_the_fourth_left(tmp_path: Path) -> None:
    """All four have checkpoint 2, but 3 was made without dave, and alice lost it."""
    with four(tmp_path) as mpc:
        save_checkpoint(mpc, 1)
        save_checkpoint(mpc, 2)
    with three(tmp_path, without("dave")) as mpc:
        save_checkpoint(mpc, 3)
    for path in (tmp_path / "alice" / "entries").glob("job.checkpoint.3.*"):
        path.unlink()
    with four(tmp_path) as mpc, pytest.raises(StorageError) as caught:
        resumed(mpc)
    assert caught.value.code == "TC-2319"
    assert set(caught.value.parties) == {"alice", "dave"}


def test_folders_of_four_open_for_three_only_with_active_security(tmp_path: Path) -> None:
    with four(tmp_path) as mpc:
        save_all(mpc)
    for protocol in ("replicated3",):
        with pytest.raises(StorageError) as caught:
            tacit.local(protocol, parties=FOUR[:3], storage=tmp_path)
        assert caught.value.code == "TC-2317"
    with pytest.raises(TacitError):
        three(tmp_path, ("alice", "bob", "erin")).close()
