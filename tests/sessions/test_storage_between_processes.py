"""Storage of parties in processes of their own, inside parties' jobs, and ``tacit refresh``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from commands import tacit_here

import tacit
from tacit.errors import PartyLostError, PolicyDeniedError, StorageError, TacitError, UsageError
from tacit.sessions import launch
from tacit.storage import Place, create_key, listing, places

pytestmark = pytest.mark.processes

NAMES = ("alice", "bob", "carol")
X = np.arange(6.0).reshape(2, 3)


def between(folder: Path) -> tacit.Computation:
    return tacit.local("replicated3", storage=folder, processes=True)


def test_processes_and_one_process_read_the_same_folders(tmp_path: Path) -> None:
    rows = np.linspace(-1, 1, 8).reshape(8, 1)
    with between(tmp_path) as mpc:
        x = mpc.share(X, owner="alice", bounds=(-8, 8))
        saved = mpc.save(x * 2, "x", uses=tacit.Uses(reveal_to=("bob",)))
        assert (saved.version, saved.parties, saved.protocol) == (1, NAMES, "replicated3")
        y = mpc.share(rows[:, 0] > 0, owner="bob")
        model = tacit.ml.LogisticRegression(max_iter=5).fit(mpc.share(rows, owner="carol"), y)
        mpc.save(model, "model")
        for call in (lambda: mpc.load("y"), lambda: mpc.delete("y")):
            with pytest.raises(UsageError) as caught:  # and the session goes on
                call()
            assert caught.value.code == "TC-1087"
        assert [h.name for h in mpc.stored()] == ["model", "x"]
    with tacit.local("replicated3", storage=tmp_path) as mpc:
        np.testing.assert_array_equal(mpc.load("x").reveal(to="bob")["bob"], X * 2)
        mpc.save(mpc.load("x"), "x")
    with between(tmp_path) as mpc:
        assert [h.epoch for h in mpc.refresh()] == [1, 1, 1]
        x = mpc.load("x")
        assert x._reference.bounds == pytest.approx((-16, 16), abs=1e-3)
        np.testing.assert_array_equal((x + 0.5).reveal(to="bob")["bob"], X * 2 + 0.5)
        with pytest.raises(PolicyDeniedError):
            (x + 0.5).reveal(to="all")
        revealed = mpc.load("model").reveal(to="all").coef_
        assert revealed[0, 0] > 0.1
        assert mpc.delete("x") == 2
        assert [h.name for h in mpc.stored()] == ["model"]


def test_a_party_s_process_holds_the_controller_to_the_uses(tmp_path: Path) -> None:
    with between(tmp_path) as mpc:
        mpc.save(mpc.share(X, owner="alice"), "x", uses=tacit.Uses(("add",), ()))
    with between(tmp_path) as mpc:
        x = mpc.load("x")
        x._reference.uses = tacit.Uses()  # a controller that forgets
        with pytest.raises(PolicyDeniedError) as caught:
            (x + x).reveal(to="all")
        assert caught.value.code == "TC-4002"


def test_an_error_of_one_party_ends_the_session_and_names_it(tmp_path: Path) -> None:
    with between(tmp_path) as mpc:
        mpc.save(mpc.share(X, owner="alice"), "x")
    file = next((tmp_path / "carol" / "entries").glob("*.sealed"))
    file.write_bytes(file.read_bytes()[:-1])
    mpc = between(tmp_path)
    with pytest.raises(StorageError) as caught:
        mpc.load("x")
    assert caught.value.code == "TC-2316"
    assert "carol" in caught.value.message
    with pytest.raises(TacitError):
        mpc.load("x")
    mpc.close()


def test_a_killed_party_leaves_what_was_saved(tmp_path: Path) -> None:
    mpc = between(tmp_path)
    mpc.save(mpc.share(X, owner="alice"), "x")
    os.kill(mpc.session.processes.identifiers["bob"], signal.SIGKILL)  # type: ignore[attr-defined]
    with pytest.raises(PartyLostError):
        mpc.save(mpc.share(X, owner="alice"), "x")
    mpc.close()
    with between(tmp_path) as mpc:
        np.testing.assert_array_equal(mpc.load("x").reveal(to="all"), X)


def test_inside_a_party_each_has_a_place_of_its_own(tmp_path: Path, jobs: str) -> None:
    configs = {
        name: {
            "numbers": [1.0, float(place)],
            "folder": str(tmp_path / name),
            "key": str(create_key(tmp_path / f"{name}.key")),
        }
        for place, name in enumerate(NAMES)
    }
    for expected in ([3.0, 3.0], [6.0, 6.0]):
        results = launch(NAMES, "storing_job", configs)
        assert all(result == expected for result in results.values())


# The command.


def refreshed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return tacit_here("refresh", *arguments)


def test_tacit_refresh(tmp_path: Path) -> None:
    own = {
        name: Place(str(tmp_path / f"disk_{name}"), str(create_key(tmp_path / f"{name}.key")))
        for name in NAMES
    }
    with tacit.local("replicated3", storage=own) as mpc:
        mpc.save(mpc.share(X, owner="alice"), "x")
    folders = [own[name].folder for name in NAMES]
    keys = [word for name in NAMES for word in ("--key", f"{name}={own[name].key}")]
    done = refreshed(*folders, *keys, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["refreshed"] == [
        {"name": "x", "purpose": "entry", "version": 1, "epoch": 1}
    ]
    assert [h.epoch for name in NAMES for h in listing(own[name].folder)] == [1, 1, 1]
    with tacit.local("replicated3", storage=own) as mpc:
        np.testing.assert_array_equal(mpc.load("x").reveal(to="all"), X)
    missing = refreshed(*folders[:2], *keys)
    assert (missing.returncode, "TC-1048" in missing.stderr) == (2, True)


def test_tacit_refresh_of_one_folder_with_all_inside(tmp_path: Path) -> None:
    with tacit.local("replicated3", storage=tmp_path) as mpc:
        mpc.save(mpc.share(X, owner="alice"), "x")
    wrong = places(tmp_path, NAMES)["bob"].key
    refused = refreshed(tmp_path, "--key", f"alice={wrong}")
    assert (refused.returncode, "TC-2312" in refused.stderr) == (3, True)
    done = refreshed(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Refreshed at alice, bob, carol" in done.stdout
    assert [h.epoch for name in NAMES for h in listing(tmp_path / name)] == [1, 1, 1]
