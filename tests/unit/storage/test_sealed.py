"""Sealed files: what is written comes back, and anything that was changed does not open."""

from __future__ import annotations

import os
import resource
import secrets
import shutil
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tacit.errors import StorageError
from tacit.storage.keys import FileKeys, OwnerKey, create_key
from tacit.storage.sealed import CHUNK_BYTES, FORMAT, SealedReader, SealedWriter, read_header
from tacit.storage.writing import write_whole

KEY = bytes(range(32))
HEADER = b'{"purpose":"test"}'
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 7)


def seal(path: Path, data: bytes, key: bytes = KEY, header: bytes = HEADER) -> Path:
    with SealedWriter(path, header, key) as out:
        view = memoryview(data)
        for start in range(0, len(data), 300_000):  # pieces that end anywhere
            out.write(view[start : start + 300_000])
    return path


def unseal(path: Path, size: int, key: bytes = KEY) -> bytes:
    target = bytearray(size)
    with SealedReader(path, key) as source:
        source.read_into(memoryview(target))
        source.finish()
    return bytes(target)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_comes_back(tmp_path: Path, size: int) -> None:
    data = secrets.token_bytes(size)
    path = seal(tmp_path / "a", data)
    assert read_header(path) == HEADER
    assert unseal(path, size) == data
    assert path.stat().st_mode & 0o077 == 0
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("size", SIZES)
def test_another_length_is_an_error(tmp_path: Path, size: int) -> None:
    path = seal(tmp_path / "a", bytes(size))
    for wrong in (size + 1, size - 1):
        if wrong >= 0:
            with pytest.raises(StorageError) as caught:
                unseal(path, wrong)
            assert caught.value.code == "TC-2316"


def test_every_flipped_bit_is_an_error(tmp_path: Path) -> None:
    """All bits of prefix, header, first bytes and tag; random bits of the rest."""
    whole = seal(tmp_path / "a", secrets.token_bytes(2 * CHUNK_BYTES + 9)).read_bytes()
    start = 14 + len(HEADER)
    rng = np.random.default_rng(1)
    places = [*range(8 * (start + 4)), *range(8 * (len(whole) - 20), 8 * len(whole), 5)]
    places += rng.integers(0, 8 * len(whole), 20).tolist()
    for bit in places:
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << (bit % 8)
        (tmp_path / "b").write_bytes(changed)
        with pytest.raises(StorageError):
            unseal(tmp_path / "b", 2 * CHUNK_BYTES + 9)


def test_chunks_cannot_be_cut_off_exchanged_doubled_or_dropped(tmp_path: Path) -> None:
    data = secrets.token_bytes(3 * CHUNK_BYTES)
    whole = seal(tmp_path / "a", data).read_bytes()
    start, step = 14 + len(HEADER), CHUNK_BYTES + 16
    head, chunks = whole[:start], [whole[start + k * step :][:step] for k in range(3)]
    assert head + b"".join(chunks) == whole
    orders = [(), (0,), (0, 1), (1, 0, 2), (0, 2, 1), (0, 0, 2), (0, 2), (1, 2), (0, 1, 2, 2)]
    for order in orders:
        (tmp_path / "b").write_bytes(head + b"".join(chunks[k] for k in order))
        for size in (len(data), max(0, len(order)) * CHUNK_BYTES):
            with pytest.raises(StorageError) as caught:
                unseal(tmp_path / "b", size)
            assert caught.value.code == "TC-2316"


def test_without_the_mark_of_the_last_chunk_a_cut_file_would_open(tmp_path: Path) -> None:
    """Bites: the same file with nonces that do not tell the last chunk."""
    data = secrets.token_bytes(3 * CHUNK_BYTES)
    import tacit.storage.sealed as module

    original = module._nonce
    module._nonce = lambda number, last: original(number, False)
    try:
        whole = seal(tmp_path / "a", data).read_bytes()
        (tmp_path / "b").write_bytes(whole[: -(CHUNK_BYTES + 16)])
        assert unseal(tmp_path / "b", 2 * CHUNK_BYTES) == data[: 2 * CHUNK_BYTES]
    finally:
        module._nonce = original


def test_another_key_header_or_file_is_an_error(tmp_path: Path) -> None:
    path = seal(tmp_path / "a", b"secret weights")
    other = seal(tmp_path / "b", b"secret weights", bytes(32))
    with pytest.raises(StorageError):
        unseal(path, 14, bytes(32))
    with pytest.raises(StorageError):
        unseal(other, 14)
    changed = path.read_bytes().replace(b"test", b"toast"[:4])
    (tmp_path / "c").write_bytes(changed)
    with pytest.raises(StorageError):
        unseal(tmp_path / "c", 14)


def test_another_format_says_which(tmp_path: Path) -> None:
    path = seal(tmp_path / "a", b"x")
    data = bytearray(path.read_bytes())
    data[8] = FORMAT + 1
    path.write_bytes(data)
    with pytest.raises(StorageError, match=f"format {FORMAT + 1}") as caught:
        unseal(path, 1)
    assert caught.value.code == "TC-2313"
    with pytest.raises(StorageError, match="format"):
        read_header(path)


def test_contents_are_in_no_file_error_or_repr(tmp_path: Path) -> None:
    data = b"attack at dawn " * 100
    path = seal(tmp_path / "a", data)
    assert b"attack" not in path.read_bytes()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StorageError) as caught:
        unseal(path, len(data))
    with SealedReader(path, KEY) as source:
        texts = [str(caught.value), repr(source), repr(OwnerKey(KEY))]
    assert not any("attack" in text or KEY.hex() in text for text in texts)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a full disk: writing beyond `size` fails with an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_an_error_and_the_old_file_stays(tmp_path: Path) -> None:
    path = seal(tmp_path / "a", b"the good version")
    with files_of_at_most(CHUNK_BYTES), pytest.raises(StorageError) as caught:
        seal(path, bytes(3 * CHUNK_BYTES))
    assert caught.value.code == "TC-2315"
    assert unseal(path, 16) == b"the good version"
    assert os.listdir(tmp_path) == ["a"]


def test_an_error_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), SealedWriter(tmp_path / "a", HEADER, KEY) as out:
        out.write(memoryview(b"half"))
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_memory_does_not_grow_with_the_array(tmp_path: Path) -> None:
    array = np.zeros(4 << 20, np.uint64)  # 32 MiB
    tracemalloc.start()
    with SealedWriter(tmp_path / "a", HEADER, KEY) as out:
        out.write(array.view(np.uint8).data)
    with SealedReader(tmp_path / "a", KEY) as source:
        source.read_into(array.view(np.uint8).data)
        source.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * CHUNK_BYTES


# Keys.


def test_a_key_file_is_for_its_user_alone(tmp_path: Path) -> None:
    path = create_key(tmp_path / "owner.key")
    assert path.stat().st_mode & 0o777 == 0o600
    key = OwnerKey.from_file(path)
    path.chmod(0o640)
    with pytest.raises(StorageError) as caught:
        OwnerKey.from_file(path)
    assert caught.value.code == "TC-2304"
    with pytest.raises(StorageError) as caught:
        create_key(path)
    assert caught.value.code == "TC-2302"
    assert OwnerKey.from_file(create_key(tmp_path / "other.key")).mark != key.mark


def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TACIT_TEST_KEY", KEY.hex())
    assert OwnerKey.from_environment("TACIT_TEST_KEY").mark == OwnerKey(KEY).mark
    for wrong in ("", "zz", KEY.hex()[:-2], KEY.hex() + "00"):
        monkeypatch.setenv("TACIT_TEST_KEY", wrong)
        with pytest.raises(StorageError) as caught:
            OwnerKey.from_environment("TACIT_TEST_KEY")
        assert caught.value.code == "TC-2310"
        assert KEY.hex()[:-2] not in str(caught.value)


def test_file_keys_are_wrapped_bound_to_their_file_and_destroyed(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path, OwnerKey(KEY))
    one, two = b"1" * 16, b"2" * 16
    key = keys.create(one)
    assert keys.open(one) == key != keys.create(two)
    assert key not in keys.path(one).read_bytes()
    shutil.copy(keys.path(one), keys.path(two))
    with pytest.raises(StorageError) as caught:
        keys.open(two)
    assert caught.value.code == "TC-2314"
    with pytest.raises(StorageError) as caught:
        FileKeys(tmp_path, OwnerKey(bytes(32))).open(one)
    assert caught.value.code == "TC-2312"
    record = bytearray(keys.path(one).read_bytes())
    for place in range(len(record)):
        changed = bytearray(record)
        changed[place] ^= 1
        write_whole(keys.path(one), bytes(changed))
        with pytest.raises(StorageError):
            keys.open(one)
    write_whole(keys.path(one), bytes(record))
    os.link(keys.path(one), tmp_path / "copy")  # the same bytes on the disk
    keys.destroy(one)
    assert (tmp_path / "copy").read_bytes() == bytes(len(record))
    keys.destroy(one)
    with pytest.raises(StorageError) as caught:
        keys.open(one)
    assert caught.value.code == "TC-2311"
