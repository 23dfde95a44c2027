"""The list of long files names files that are there, each once."""

from __future__ import annotations

from pathlib import Path

import order


def test_long_files_are_there_and_named_once() -> None:
    folder = Path(order.__file__).parent
    named = [*order.WAITING, *order.COMPUTING]
    assert [path for path in named if not (folder / path).is_file()] == []
    assert sorted(order.PLACES) == sorted(named)
    assert len(set(named)) == len(named)
