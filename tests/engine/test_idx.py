"""The IDX source: every kind of number, gzip, labels by standard name, and broken files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.sources import opening
from engine.sources.idx import IdxImages, labels_beside, read_idx

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(
        KINDS[kind]
    ).tobytes()  # fmt: skip


IMAGES = np.arange(24).reshape(4, 2, 3)
LABELS = np.array([3, 1, 3, 2])


@settings(deadline=None, max_examples=30)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    packed=st.booleans(),
)
def test_every_kind_and_shape_reads_back(tmp_path_factory, kind: int, shape: list[int], packed: bool) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(KINDS[kind])
    file = tmp_path_factory.mktemp("idx") / "a"
    data = idx(array, kind)
    file.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    np.testing.assert_array_equal(read_idx(file), array)


@pytest.mark.parametrize("packed", [False, True])
def test_labels_of_the_standard_name_are_found_and_said(tmp_path: Path, packed: bool) -> None:
    end = ".gz" if packed else ""
    close = gzip.compress if packed else bytes
    (tmp_path / f"train-images-idx3-ubyte{end}").write_bytes(close(idx(IMAGES)))
    (tmp_path / f"train-labels-idx1-ubyte{end}").write_bytes(close(idx(LABELS)))
    header, records = IdxImages(images=f"train-images-idx3-ubyte{end}").load(tmp_path, None)
    assert header.shape == (2, 3)
    assert header.classes == ("1", "2", "3")
    assert records.labels.tolist() == [2, 0, 2, 1]
    assert (records.samples == IMAGES).all()
    assert "train-labels-idx1-ubyte" in records.notes[0]


def test_packed_images_find_plain_labels(tmp_path: Path) -> None:
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(idx(LABELS))
    assert labels_beside(tmp_path / "t10k-images.idx3-ubyte.gz") == tmp_path / "t10k-labels.idx1-ubyte"
    assert labels_beside(tmp_path / "other.idx") is None


def test_images_alone_have_no_labels(tmp_path: Path) -> None:
    (tmp_path / "a.idx").write_bytes(idx(IMAGES))
    header, records = IdxImages(images="a.idx").load(tmp_path, None)
    assert header.classes == ()
    assert records.labels.tolist() == [-1] * 4


def test_a_header_fixes_the_classes(tmp_path: Path) -> None:
    (tmp_path / "a.idx").write_bytes(idx(IMAGES))
    (tmp_path / "l.idx").write_bytes(idx(LABELS))
    node = IdxImages(images="a.idx", labels="l.idx")
    header, _ = node.load(tmp_path, None)
    (tmp_path / "l.idx").write_bytes(idx(np.array([2, 2, 3, 3])))
    assert node.load(tmp_path, header)[1].labels.tolist() == [1, 1, 2, 2]
    (tmp_path / "l.idx").write_bytes(idx(np.array([2, 2, 3, 9])))
    with pytest.raises(DataError, match="record 4: The class '9' is not known"):
        node.load(tmp_path, header)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cut off"),
        (b"\0\0\x08", "cut off"),
        (b"\x89PNG", "no IDX file: it begins with 89 50 4e 47"),
        (b"\0\0\x07\x01" + b"\0\0\0\1" + b"\0", "no IDX file"),
        (b"\0\0\x08\0", "no IDX file"),
        (idx(IMAGES)[:-1], "needs 24 bytes; the file holds 23"),
        (idx(IMAGES) + b"\0", "needs 24 bytes; the file holds 25"),
        (b"\0\0\x08\3" + b"\xff" * 12, "It declares"),
        (gzip.compress(idx(IMAGES)[:-1], mtime=0), "cut off: 24 bytes were due, 23 came"),
        (gzip.compress(idx(IMAGES) + b"\0", mtime=0), "goes on after the 24 bytes"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "gzip file is broken or cut off"),
        (b"\x1f\x8b\x08nothing of the kind", "gzip file is broken or cut off"),
    ],
)
def test_a_broken_file_is_refused_with_a_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.idx").write_bytes(data)
    with pytest.raises(DataError, match=words):
        IdxImages(images="a.idx").load(tmp_path, None)


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "INFLATION_FROM", 1 << 20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(np.zeros((4, 1 << 20)))))
    with pytest.raises(DataError, match="would inflate to"):
        IdxImages(images="a.gz").load(tmp_path, None)


def test_labels_must_have_one_axis_and_one_entry_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.idx").write_bytes(idx(IMAGES))
    (tmp_path / "l.idx").write_bytes(idx(LABELS[:3]))
    with pytest.raises(DataError, match="4 records, but labels of shape"):
        IdxImages(images="a.idx", labels="l.idx").load(tmp_path, None)
    with pytest.raises(DataError, match="Labels must have one axis"):
        IdxImages(images="a.idx", labels="a.idx").load(tmp_path, None)
