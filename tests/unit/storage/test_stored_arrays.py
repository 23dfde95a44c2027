"""Saving, loading, refreshing and deleting in sessions: values, metadata, errors, crashes."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import tacit
from tacit import Computation
from tacit.errors import (
    PolicyDeniedError,
    StorageError,
    TacitError,
    UsageError,
    VerificationError,
)
from tacit.storage import (
    Place,
    change_key,
    create_key,
    keys,
    listing,
    places,
    store,
    writing,
)
from tacit.storage.store import Holding, Store

NAMES = ("alice", "bob", "carol")
FLOATS = np.arange(-6, 6).reshape(3, 4) / 4


def opened(folder: Path, protocol: str = "replicated3", **options: Any) -> Computation:
    return tacit.local(protocol, storage=folder, **options)


def saved(folder: Path, *names: str, **options: Any) -> None:
    with opened(folder, **options) as mpc:
        for name in names:
            mpc.save(mpc.share(FLOATS, owner="alice"), name)


def value(folder: Path, name: str = "x") -> Any:
    with opened(folder) as mpc:
        return mpc.load(name).reveal(to="all")


ARRAYS: dict[str, Callable[[Computation], Any]] = {
    "fixed": lambda mpc: mpc.share(FLOATS, owner="bob"),
    "fine": lambda mpc: mpc.share(FLOATS, owner="bob", dtype=tacit.fixed_point(26)),
    "int64": lambda mpc: mpc.share(np.array([2**62 - 1, -(2**62), 0]), owner="carol"),
    "uint8": lambda mpc: mpc.share(np.arange(200, dtype=np.uint8), owner="carol") + 100,
    "scalar": lambda mpc: mpc.share(np.array(1.25), owner="alice"),
    "empty": lambda mpc: mpc.share(np.zeros((0, 3)), owner="alice"),
    "bits": lambda mpc: mpc.share(np.arange(131) % 3 == 0, owner="alice").reshape(1, 131),
    "words": lambda mpc: mpc.share(np.arange(128) % 5 == 0, owner="bob"),
    "compared": lambda mpc: mpc.share(np.arange(70.0), owner="bob") > 30,
    "int128": lambda mpc: mpc.share(np.array([2**100, -5], object), "bob", dtype=tacit.int128),
    "view": lambda mpc: mpc.share(np.arange(600.0).reshape(20, 30), owner="bob").T[::2, 1:],
    "repeated": lambda mpc: tacit.broadcast_to(mpc.share(FLOATS[:1], owner="bob"), (50, 4)),
    "public": lambda mpc: mpc.constant(FLOATS),
}


@pytest.mark.parametrize(
    ("protocol", "ring"),
    [("replicated3", 64), ("replicated3", 128), ("fantastic4", 64), ("replicated3_active", 64)],
)
def test_every_kind_of_array_comes_back(tmp_path: Path, protocol: str, ring: int) -> None:
    expected = {}
    with opened(tmp_path, protocol, ring=ring) as mpc:
        for name, make in ARRAYS.items():
            if name == "int128" and ring == 64:
                continue
            array = make(mpc)
            mpc.save(array, name)
            expected[name] = (array.reveal(to="all"), array.dtype, array._reference.bounds)
    with opened(tmp_path, protocol, ring=ring) as mpc:
        mpc.refresh()
        for name, (plain, dtype, bounds) in expected.items():
            found = mpc.load(name)
            assert (found.dtype, found.shape, found._reference.bounds) == (
                dtype,
                plain.shape,
                bounds,
            )
            np.testing.assert_array_equal(found.reveal(to="all"), plain)
            np.testing.assert_array_equal((found == found).reveal(to="all"), True)


def test_what_is_known_of_an_array_is_known_again(tmp_path: Path) -> None:
    with opened(tmp_path) as mpc:
        mpc.save(mpc.share(FLOATS, owner="alice", bounds=(-4, 4)), "x")
    with opened(tmp_path) as mpc:
        x = mpc.load("x")
        assert x._reference.bounds == (-4.0, 4.0)
        assert x._reference.declared


def test_versions_count_up_and_stay(tmp_path: Path) -> None:
    with opened(tmp_path) as mpc:
        for number in (1, 2, 3):
            assert mpc.save(mpc.constant(np.array([float(number)])), "x").version == number
        assert mpc.load("x").reveal(to="all") == [3.0]
        assert mpc.load("x", version=1).reveal(to="all") == [1.0]
        assert mpc.delete("x", version=3) == 1
        assert mpc.load("x").reveal(to="all") == [2.0]
        assert mpc.save(mpc.constant(np.zeros(1)), "x").version == 4
        with pytest.raises(UsageError, match="'x' version 3 was deleted"):
            mpc.load("x", version=3)
        with pytest.raises(UsageError, match="'y' is not stored"):
            mpc.load("y")
        with pytest.raises(UsageError, match="not stored"):
            mpc.delete("y")
        assert mpc.load("x").reveal(to="all") == [0.0]  # the session goes on
        assert mpc.delete("x") == 3
        with pytest.raises(UsageError, match="was deleted"):
            mpc.load("x")


def test_listing_needs_no_key(tmp_path: Path) -> None:
    saved(tmp_path, "x", "y")
    shutil.rmtree(tmp_path / "_keys")
    shutil.rmtree(tmp_path / "bob" / "keys")
    names = [(h.name, h.version, h.arrays[0].shape) for h in listing(tmp_path / "bob")]
    assert names == [("x", 1, (3, 4)), ("y", 1, (3, 4))]


def test_uses_bind_what_is_computed_too(tmp_path: Path) -> None:
    with opened(tmp_path) as mpc:
        x = mpc.share(FLOATS, owner="alice")
        mpc.save(x, "x", uses=tacit.Uses(operations=("add", "sum"), reveal_to=("bob", "carol")))
        mpc.save(x, "free")
    with opened(tmp_path) as mpc:
        x, free = mpc.load("x"), mpc.load("free")
        total = tacit.sum(x + free)
        assert total.reveal(to="bob")["bob"] == FLOATS.sum() * 2
        for refused, code in (
            (lambda: x * 2.0, "TC-4001"),
            (lambda: free @ (x + x).T, "TC-4001"),
            (lambda: x.reveal(to="all"), "TC-4002"),
            (lambda: total.reveal(to=["alice", "bob"]), "TC-4002"),
        ):
            with pytest.raises(PolicyDeniedError) as caught:
                refused()
            assert caught.value.code == code
        mpc.save(total, "total", uses=tacit.Uses(reveal_to=("alice", "bob")))
    with opened(tmp_path) as mpc:  # a copy of it may not be used for more
        uses = mpc.load("total")._reference.uses
        assert uses == tacit.Uses(operations=("add", "sum"), reveal_to=("bob",))


def test_uses_bind_programs_too_even_one_that_only_hands_on(tmp_path: Path) -> None:
    spec = tacit.ArraySpec((3, 4), bounds=(-8, 8))
    with opened(tmp_path) as mpc:
        x = mpc.share(FLOATS, owner="alice", bounds=(-8, 8))
        mpc.save(x, "x", uses=tacit.Uses(operations=("sum",), reveal_to=("bob",)))
    with opened(tmp_path) as mpc:
        x = mpc.load("x")
        for function in (lambda v: v, tacit.sum):
            program = tacit.trace(function, spec, to="all")
            with pytest.raises(PolicyDeniedError) as caught:
                mpc.run(program, {program.inputs[0].name: x})
            assert caught.value.code == "TC-4002"
        program = tacit.trace(
            lambda v: tacit.cond(True, lambda w: [w * 2.0], lambda w: [w], v), spec
        )
        with pytest.raises(PolicyDeniedError) as caught:
            mpc.run(program, {program.inputs[0].name: x})
        assert caught.value.code == "TC-4001"


def test_uses_are_held_against_the_operations_that_run_not_those_that_were_traced(
    tmp_path: Path,
) -> None:
    numbers = tacit.ArraySpec((2,), tacit.int64)
    program = tacit.trace(lambda a, b: (a & b) ^ b, numbers, numbers)
    traced = ("bitwise_and", "bitwise_xor")
    better = program.optimize()
    assert program.operations == set(traced)
    assert better.operations == {"bit_chain"}
    with opened(tmp_path) as mpc:
        a = mpc.share(np.array([5, 6]), owner="alice")
        mpc.save(a, "traced", uses=tacit.Uses(operations=traced))
        mpc.save(a, "optimised", uses=tacit.Uses(operations=("bit_chain",)))
    with opened(tmp_path) as mpc:
        b = mpc.share(np.array([3, 4]), owner="bob")
        for name, runs, refused in (
            ("traced", program, better),
            ("optimised", better, program),
        ):
            given = {"a": mpc.load(name), "b": b}
            np.testing.assert_array_equal(mpc.run(runs, given)["output"], [2, 0])
            with pytest.raises(PolicyDeniedError) as caught:
                mpc.run(refused, given)
            assert caught.value.code == "TC-4001"


def test_without_storage_or_with_a_seed_or_a_bad_name(tmp_path: Path) -> None:
    with tacit.local("replicated3") as mpc:
        x = mpc.share(FLOATS, owner="alice")
        for call in (lambda: mpc.save(x, "x"), lambda: mpc.load("x"), mpc.stored, mpc.refresh):
            with pytest.raises(UsageError) as caught:
                call()
            assert caught.value.code == "TC-1088"
        with opened(tmp_path) as other:
            with pytest.raises(UsageError) as caught:
                other.save(x, "x")
            assert caught.value.code == "TC-1031"
            for name in ("", "../x", ".x", "a b", "x" * 64):
                with pytest.raises(UsageError) as caught:
                    other.save(other.constant(FLOATS), name)
                assert caught.value.code == "TC-1085"
            for thing in (FLOATS, object(), "text"):
                with pytest.raises(UsageError) as caught:
                    other.save(thing, "x")
                assert caught.value.code == "TC-1076"
    with pytest.raises(UsageError) as caught:
        tacit.local("replicated3", storage=tmp_path, seed=1)
    assert caught.value.code == "TC-1077"
    with pytest.raises(UsageError) as caught:
        tacit.local("replicated3", storage={"alice": Place("a", "k")})
    assert caught.value.code == "TC-1075"


# What a folder must not be.


def test_two_sessions_do_not_share_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path):
        with pytest.raises(StorageError) as caught:
            opened(tmp_path)
        assert caught.value.code == "TC-2318"
    saved(tmp_path, "x")


def test_a_foreign_folder_key_or_file_is_an_error(tmp_path: Path) -> None:
    saved(tmp_path, "x")
    at = places(tmp_path, NAMES)
    swapped = {**at, "alice": Place(at["bob"].folder, at["alice"].key)}
    with pytest.raises(StorageError, match="is not the folder of alice"):
        tacit.local("replicated3", storage=swapped)
    with pytest.raises(StorageError, match="is not the folder"):
        tacit.local("replicated3", ["alice", "carol", "bob"], storage=at)
    wrong = {**at, "alice": Place(at["alice"].folder, at["bob"].key)}
    with tacit.local("replicated3", storage=wrong) as mpc:
        with pytest.raises(StorageError) as caught:
            mpc.load("x")
        assert caught.value.code == "TC-2312"
    for kind in ("entries", "keys"):  # all of bob's files in alice's folder
        shutil.rmtree(tmp_path / "alice" / kind)
        shutil.copytree(tmp_path / "bob" / kind, tmp_path / "alice" / kind)
    with pytest.raises(StorageError, match="shares of bob, not of alice"):
        value(tmp_path)


def test_a_file_that_is_exchanged_after_it_was_listed_is_an_error(tmp_path: Path) -> None:
    saved(tmp_path, "x", "y")
    place = places(tmp_path, NAMES)["bob"]
    with Store(place, "bob", NAMES, "replicated3") as folder:
        x, y = folder.holdings()
        shutil.copy(y.path, x.path)
        for wrong in (x, Holding(y.header, x.path, True)):
            with pytest.raises(StorageError), folder.reading(wrong) as reader:
                reader.finish()
        other = Holding(msgspec.structs.replace(y.header, name="x"), y.path, True)
        with pytest.raises(StorageError, match="was exchanged"), folder.reading(other):
            pass


def test_keys_of_the_environment_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("bank-a", "bob", "carol")
    monkeypatch.setenv("TACIT_STORAGE_KEY_BANK_A", "ab" * 32)
    with tacit.local("replicated3", names, storage=tmp_path) as mpc:
        mpc.save(mpc.share(FLOATS, owner="bob"), "x")
    assert sorted(p.name for p in (tmp_path / "_keys").iterdir()) == ["bob.key", "carol.key"]
    monkeypatch.setenv("TACIT_STORAGE_KEY_BANK_A", "ac" * 32)
    with tacit.local("replicated3", names, storage=tmp_path) as mpc:
        with pytest.raises(StorageError) as caught:
            mpc.load("x")
        assert caught.value.code == "TC-2312"
    monkeypatch.delenv("TACIT_STORAGE_KEY_BANK_A")
    with pytest.raises(StorageError) as caught:  # no key is made for a folder that has one
        tacit.local("replicated3", names, storage=tmp_path)
    assert caught.value.code == "TC-2302"


def test_a_party_takes_a_new_key_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, "x", "y")
    at = places(tmp_path, NAMES)
    new = str(create_key(tmp_path / "new.key"))
    write, written = store.FileKeys.rewrap, []

    def crash(self: Any, number: bytes, key: Any) -> None:
        written.append(number)
        if len(written) == 2:
            raise Crash
        write(self, number, key)

    monkeypatch.setattr(store.FileKeys, "rewrap", crash)
    with pytest.raises(Crash):
        change_key(at["bob"], new)
    monkeypatch.undo()
    moved = {**at, "bob": change_key(at["bob"], new)}
    with tacit.local("replicated3", storage=moved) as mpc:
        np.testing.assert_array_equal(mpc.load("x").reveal(to="all"), FLOATS)
        np.testing.assert_array_equal(mpc.load("y").reveal(to="all"), FLOATS)
        mpc.refresh()
        mpc.load("y")
    with tacit.local("replicated3", storage=at) as mpc, pytest.raises(StorageError) as caught:
        mpc.load("x")
    assert caught.value.code == "TC-2312"
    with pytest.raises(StorageError, match="no party's folder"):
        change_key(Place(str(tmp_path), new), new)


def test_another_ring_says_so(tmp_path: Path) -> None:
    saved(tmp_path, "x")
    with opened(tmp_path, ring=128) as mpc, pytest.raises(StorageError, match="ring=64"):
        mpc.load("x")


def test_a_party_that_lacks_a_version_is_named(tmp_path: Path) -> None:
    saved(tmp_path, "x")
    shutil.copytree(tmp_path / "carol", tmp_path / "copy")
    saved(tmp_path, "x")
    shutil.rmtree(tmp_path / "carol")
    shutil.move(tmp_path / "copy", tmp_path / "carol")
    with opened(tmp_path) as mpc:
        with pytest.raises(StorageError, match="carol does not have x version 2") as caught:
            mpc.load("x")
        assert caught.value.parties == ("carol",)
        np.testing.assert_array_equal(mpc.load("x", version=1).reveal(to="all"), FLOATS)


def test_a_damaged_file_is_an_error_that_shows_nothing(tmp_path: Path) -> None:
    saved(tmp_path, "x")
    file = next((tmp_path / "bob" / "entries").glob("*.sealed"))
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    with pytest.raises(StorageError) as caught:
        value(tmp_path)
    assert caught.value.code == "TC-2316"
    assert "1.25" not in str(caught.value)


def test_shares_that_do_not_fit_the_others_are_found_by_their_holders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A party that seals something else than it should: public metadata agree, copies do not."""
    from tacit.sessions import storage_steps

    original, calls = storage_steps._pieces, []

    def changed(part: Any, value: Any) -> Iterator[memoryview]:
        calls.append(part)
        yield from original(part + np.uint64(len(calls) == 3), value)

    monkeypatch.setattr(storage_steps, "_pieces", changed)
    saved(tmp_path, "x")
    monkeypatch.undo()
    with pytest.raises(VerificationError) as caught:
        value(tmp_path)
    assert caught.value.code == "TC-5213"


def test_what_was_deleted_cannot_be_brought_back(tmp_path: Path) -> None:
    """Nor by who kept a copy of the sealed files and has the owners' keys."""
    saved(tmp_path, "x")
    for name in NAMES:
        shutil.copytree(tmp_path / name / "entries", tmp_path / "copies" / name)
    with opened(tmp_path) as mpc:
        mpc.delete("x")
        assert mpc.stored() == []
    for name in NAMES:
        assert list((tmp_path / name / "keys").iterdir()) == []
        for stone in (tmp_path / name / "entries").iterdir():
            stone.unlink()
        for file in (tmp_path / "copies" / name).iterdir():
            shutil.copy(file, tmp_path / name / "entries")
    with pytest.raises(StorageError) as caught:
        value(tmp_path)
    assert caught.value.code == "TC-2311"


def test_saving_and_loading_keep_no_second_copy(tmp_path: Path) -> None:
    size = 1 << 20  # 8 MiB a part, two parts a party
    with opened(tmp_path) as mpc:
        x = mpc.share(np.zeros(size), owner="alice").T
        tracemalloc.start()
        mpc.save(x, "x")
        _, writing_peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert writing_peak < 16 << 20  # three parties' buffers of two chunks
    with opened(tmp_path) as mpc:
        tracemalloc.start()
        mpc.refresh()
        _, refreshing_peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        mpc.load("x")
        _, loading_peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert refreshing_peak < 32 << 20
    assert loading_peak < (3 * 2 * 8 + 16) << 20


# Crashes.


class Crash(Exception):
    """What the process does next is never done."""


@contextmanager
def crash_at(
    number: int, folder: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The group stops before its file operation of this number, from 0; what is on the disks then.

    `snapshot` is what ``kill -9`` leaves; in `folder` the parties still clean up, as after an
    error of the disk.
    """
    done = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def operate(*args: Any, **options: Any) -> Any:
            nonlocal done
            if done == number:
                shutil.copytree(folder, snapshot)
            if done >= number:
                done += 1
                raise Crash
            done += 1
            return original(*args, **options)

        return operate

    with monkeypatch.context() as patch:
        for name in ("rename", "fsync"):
            patch.setattr(writing.os, name, counted(getattr(writing.os, name)))
        for module, name in ((store, "remove"), (store, "write_whole"), (keys, "overwrite")):
            patch.setattr(module, name, counted(getattr(module, name)))
        yield


def crashed(
    folder: Path,
    snapshot: Path,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[Computation], Any],
) -> bool:
    """Run `work` on stored entries and stop at a file operation; whether it came that far."""
    mpc = opened(folder)
    try:
        with crash_at(number, folder, snapshot, monkeypatch):
            work(mpc)
        return False
    except Crash:
        return True
    finally:
        mpc.close()


WORK: dict[str, Callable[[Computation], Any]] = {
    "save": lambda mpc: mpc.save(mpc.constant(FLOATS + 1), "x"),
    "refresh": lambda mpc: mpc.refresh(),
    "delete": lambda mpc: mpc.delete("y"),
}


def folders(mpc: Computation) -> tuple[Store, ...]:
    session: Any = mpc.session
    found: tuple[Store, ...] = session._folders
    return found


def check_usable(folder: Path, work: str) -> None:
    with opened(folder) as mpc:
        found = mpc.load("x").reveal(to="all")
        wanted = FLOATS + (work == "save" and found[0, 0] == FLOATS[0, 0] + 1)
        np.testing.assert_array_equal(found, wanted)
        mpc.refresh()
        np.testing.assert_array_equal(mpc.load("x").reveal(to="all"), wanted)
        if work == "delete":  # the others' part of a deletion is done when they meet
            having = [any(h.header.name == "y" for h in f.holdings()) for f in folders(mpc)]
            assert having in ([False] * 3, [True] * 3)
            assert [f.intended() for f in folders(mpc)] == [[]] * 3
            with suppress(UsageError):
                mpc.delete("y")
            with pytest.raises(UsageError, match="was deleted"):
                mpc.load("y")
    for name in NAMES:  # nothing is left of what was given up
        files = {p.stem.rpartition(".")[2] for p in (folder / name / "entries").glob("*.sealed")}
        assert files == {p.stem for p in (folder / name / "keys").iterdir()}
        assert not list((folder / name).rglob("*.part"))
    shutil.rmtree(folder)


@pytest.mark.parametrize("work", WORK)
def test_a_crash_at_any_file_operation_leaves_what_all_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    start = tmp_path / "start"
    saved(start, *("xy" if work == "delete" else "x"))
    number = 0
    while True:
        folder, snapshot = tmp_path / "now", tmp_path / "killed"
        shutil.copytree(start, folder)
        if not crashed(folder, snapshot, number, monkeypatch, WORK[work]):
            break
        check_usable(folder, work)
        check_usable(snapshot, work)
        number += 1
    assert number > 20


def test_another_party_s_word_alone_deletes_nothing(tmp_path: Path) -> None:
    saved(tmp_path, "x")
    with opened(tmp_path) as mpc:
        bob = folders(mpc)[1]
        bob.bury(bob.holdings()[0])
        for call in (lambda: mpc.load("x"), mpc.refresh):
            try:
                call()
            except UsageError as error:
                assert error.code == "TC-1087"  # noqa: PT017 - refreshing has nothing to do
        assert [len(f.holdings()) for f in folders(mpc)] == [1, 0, 1]
        assert mpc.delete("x") == 1
        assert [len(f.holdings()) for f in folders(mpc)] == [0, 0, 0]


def test_a_full_disk_at_one_party_leaves_the_last_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, "x")
    original = writing.AtomicFile.write

    def full(self: Any, data: Any) -> None:
        if "bob" in str(self.path) and "entries" in str(self.path):
            raise writing._failed(self.path, OSError(28, "No space left on device"))
        original(self, data)

    monkeypatch.setattr(writing.AtomicFile, "write", full)
    with opened(tmp_path) as mpc:
        for work in (WORK["save"], WORK["refresh"]):
            with pytest.raises(StorageError, match="No space left") as caught:
                work(mpc)
            assert caught.value.code == "TC-2315"
    monkeypatch.undo()
    np.testing.assert_array_equal(value(tmp_path), FLOATS)


def test_every_error_of_storage_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TacitError) as caught:
        Store(Place(str(tmp_path / "a"), str(tmp_path / "missing")), "alice", NAMES, "replicated3")
    assert caught.value.code == "TC-2302"
    assert "create_key" in caught.value.next_step


ESTIMATORS: dict[str, Callable[[], Any]] = {
    "LinearRegression": lambda: tacit.ml.LinearRegression(),
    "Ridge": lambda: tacit.ml.Ridge(alpha=0.5, fit_intercept=False),
    "LogisticRegression": lambda: tacit.ml.LogisticRegression(max_iter=1, C=float("inf")),
    "MLPClassifier": lambda: tacit.ml.MLPClassifier((3,), max_iter=1, classes=[2, 5]),
    "MLPRegressor": lambda: tacit.ml.MLPRegressor((2,), solver="sgd", max_iter=1),
    "StandardScaler": lambda: tacit.ml.StandardScaler(with_mean=False),
}


def test_fitted_estimators_predict_as_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows, targets = rng.normal(size=(24, 2)), rng.normal(size=24)
    expected = {}
    options = {"rounding": "exact"}
    with opened(tmp_path, **options) as mpc:
        X, y = mpc.share(rows, owner="alice"), mpc.share(targets, owner="bob")
        labels = mpc.share(targets > 0, owner="bob")
        for name, make in ESTIMATORS.items():
            y_of = {"LogisticRegression": labels, "MLPClassifier": labels * 3 + 2}.get(name, y)
            model = make().fit(X, y_of)
            mpc.save(model, name)
            use = model.transform if name == "StandardScaler" else model.predict
            expected[name] = use(X).reveal(to="all")
    with opened(tmp_path, **options) as mpc:
        X = mpc.share(rows, owner="alice")
        for name, plain in expected.items():
            model = mpc.load(name)
            assert type(model).__name__ == name
            use = model.transform if name == "StandardScaler" else model.predict
            np.testing.assert_array_equal(use(X).reveal(to="all"), plain)
            assert model.get_params() == ESTIMATORS[name]().get_params()
