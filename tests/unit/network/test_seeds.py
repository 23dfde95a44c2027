"""Pairwise keys: what goes into the exporter."""

from __future__ import annotations

from tacit.network.seeds import KEY_BYTES, pairwise_key

SESSION = bytes(range(32))


class Recorder:
    """A stand-in for links: returns what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bytes, bytes, int]] = []

    def export(self, peer: int, label: bytes, context: bytes, length: int) -> bytes:
        self.asked.append((peer, label, context, length))
        return context[:length]


def test_session_and_purpose_make_the_context() -> None:
    links = Recorder()
    keys = [
        pairwise_key(links, 1, SESSION, "one"),
        pairwise_key(links, 1, SESSION, "two"),
        pairwise_key(links, 1, bytes(32), "one"),
    ]
    assert len(set(keys)) == 3
    assert all(len(key) == KEY_BYTES == 16 for key in keys)
    assert {asked[1] for asked in links.asked} == {b"EXPORTER-tacit-stream-key"}
    assert {asked[0] for asked in links.asked} == {1}
