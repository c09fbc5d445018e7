"""The NumPy archive source: shapes, labels, classes, facts, and hostile archives."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError
from engine.records import Header, as_floats
from engine.sources import opening
from engine.sources.npz import NumpyArchive

X = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


def load(
    folder: Path, header: Header | None = None, *, fields: dict[str, str] | None = None, **arrays: object
):
    np.savez_compressed(folder / "t.npz", **{k: np.asarray(v) for k, v in arrays.items()})
    return NumpyArchive.of({"path": "t.npz", **(fields or {})}).load(folder, header)


def write(folder: Path, **members: bytes) -> None:
    with zipfile.ZipFile(folder / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        *(("u1", "u1"), ("?", "u1"), (">i2", "i2"), ("f2", "f2"), ("f4", "f4")),
        *(("i4", "f4"), (">f8", "f4"), ("u8", "f4")),
    ],
)
def test_small_numbers_stay_as_they_are_and_all_others_become_float32(tmp_path: Path, given, kept) -> None:
    values = np.array([[0, 1], [1, 1]]).astype(given)
    _, records = load(tmp_path, x=values, y=[0, 1])
    assert records.samples.dtype == np.dtype(kept)
    floats = as_floats(records.samples)
    assert floats.dtype == np.float32
    assert (floats == values).all()


def test_samples_keep_their_shape_and_numbers_name_classes(tmp_path: Path) -> None:
    header, records = load(tmp_path, x=X, y=[10, 9, 10, -1])
    assert header == Header((3, 2), ("-1", "9", "10"), (), 4)
    assert records.samples.dtype == X.dtype
    assert (records.samples == X).all()
    assert records.labels.tolist() == [2, 1, 2, 0]


def test_texts_name_classes_in_order_of_name(tmp_path: Path) -> None:
    header, records = load(tmp_path, x=X, y=["b", "a", "", "b"])
    assert header.classes == ("a", "b")
    assert records.labels.tolist() == [1, 0, -1, 1]


def test_the_array_classes_fixes_names_and_order_and_labels_count_them(tmp_path: Path) -> None:
    header, records = load(tmp_path, x=X, y=[0, 1, -1, 1], classes=["9", "1"])
    assert header.classes == ("9", "1")
    assert records.labels.tolist() == [0, 1, -1, 1]
    _, later = load(tmp_path, header, x=X[:2], y=[1, 0])
    assert later.labels.tolist() == [1, 0]
    with pytest.raises(DataError, match="record 2: The label 2 is none of the 2 classes"):
        load(tmp_path, header, x=X[:2], y=[1, 2])


def test_later_files_may_order_their_classes_otherwise(tmp_path: Path) -> None:
    header, _ = load(tmp_path, x=X, y=["b", "a", "a", "b"])
    _, later = load(tmp_path, header, x=X[:2], y=[0, 1], classes=["b", "a"])
    assert later.labels.tolist() == [1, 0]
    with pytest.raises(DataError, match="record 1: The class 'c' is not known; there are a, b"):
        load(tmp_path, header, x=X[:2], y=["c", "a"])


def test_other_arrays_with_one_entry_a_record_are_facts(tmp_path: Path) -> None:
    header, records = load(
        tmp_path,
        x=X,
        y=[0, 1, 0, 1],
        age=[1.5, np.nan, 3, np.inf],
        town=["q", "p", "", "q"],
        odd=np.ones((4, 2)),
    )
    assert [(c.name, c.categories) for c in header.columns] == [("age", ()), ("town", ("p", "q"))]
    np.testing.assert_array_equal(records.facts, [[1.5, 1], [np.nan, 0], [3, np.nan], [np.nan, 1]])
    _, later = load(tmp_path, header, x=X[:1], town=["z"])
    assert np.isnan(later.facts).all()
    assert any("'age' is not in the file" in note for note in later.notes)
    assert later.labels.tolist() == [-1]
    with pytest.raises(DataError, match="'town' must be texts"):
        load(tmp_path, header, x=X[:1], town=[3])


def test_booleans_and_single_axes_are_taken(tmp_path: Path) -> None:
    header, records = load(tmp_path, x=[0.5, 1.5], y=[True, False])
    assert header.shape == (1,)
    assert header.classes == ("0", "1")
    assert records.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, "no array 'y' for the labels; there are x"),
        ({"z": X, "y": [0, 1, 0, 1]}, "no array 'x' for the samples"),
        ({"x": np.float32(3), "y": [0]}, "single number"),
        ({"x": np.zeros((0, 3)), "y": np.zeros(0)}, "empty"),
        ({"x": np.array([["a"], ["b"]]), "y": [0, 1]}, "Samples must be numbers"),
        ({"x": X.astype(complex), "y": [0, 1, 0, 1]}, "Python objects|numbers and texts"),
        ({"x": [[1.0], [np.nan]], "y": [0, 1]}, "record 2: A sample is not a finite number"),
        ({"x": [[1.0], [1e300]], "y": [0, 1]}, "record 2: A sample is not a finite number"),
        ({"x": X, "y": [0, 1]}, "4 records, but labels of shape"),
        ({"x": X, "y": [0.5, 1, 0, 1]}, "fractions"),
        ({"x": X, "y": [np.nan, 1, 0, 1]}, "Labels must be whole numbers"),
        ({"x": X, "y": [1, 1, 1, 1]}, "at least two"),
        ({"x": X, "y": [0, 1, 0, 1], "classes": ["a", "a", "b"]}, "names a class twice"),
        ({"x": X, "y": [0, 1, 0, 1], "classes": 3}, "one name a class"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_a_sentence(tmp_path: Path, arrays, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(tmp_path, **arrays)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "t.npz", x=np.array([Trap(), Trap()], object), y=np.array([0, 1]))
    with pytest.raises(DataError, match="objects could run code"):
        NumpyArchive(path="t.npz").load(tmp_path, None)
    assert not (tmp_path / "sprung").exists()


def test_a_shape_that_its_bytes_do_not_fill_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    lying = npy(np.zeros((2, 3), np.uint8)).replace(b"(2, 3)", b"(2,30)")
    write(tmp_path, x=lying, y=npy(np.array([0, 1])))
    with pytest.raises(DataError, match="needs 60 bytes; the array holds 6"):
        NumpyArchive(path="t.npz").load(tmp_path, None)


def test_an_array_beyond_memory_is_refused_by_its_header(tmp_path: Path) -> None:
    huge = npy(np.zeros((2, 3), np.uint8)).replace(b"(2, 3), }         ", b"(2, 9000000000), }")
    assert b"(2, 9000000000)" in huge
    write(tmp_path, x=huge, y=npy(np.array([0, 1])))
    with pytest.raises(DataError, match=r"It declares 18\u202f000\u202f000\u202f000 bytes"):
        NumpyArchive(path="t.npz").load(tmp_path, None)


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "INFLATION_FROM", 1 << 20)  # a real one is 256 MiB: too slow to write here
    with pytest.raises(DataError, match="would inflate to"):
        load(tmp_path, x=np.zeros((2, 1 << 20), np.uint8), y=[0, 1])
    zeros = {f"f{i}": np.zeros(1 << 16, np.float64) for i in range(8)}
    samples = np.random.default_rng(0).random((1 << 16, 1), np.float32)
    with pytest.raises(DataError, match=r"facts: Its .* would inflate to"):
        load(tmp_path, x=samples, y=np.arange(1 << 16) % 2, **zeros)


def test_format_three_and_files_that_are_no_archive_are_refused(tmp_path: Path) -> None:
    write(tmp_path, x=b"\x93NUMPY\x03\x00" + npy(X)[8:], y=npy(np.array([0, 1])))
    with pytest.raises(DataError, match="format version"):
        NumpyArchive(path="t.npz").load(tmp_path, None)
    (tmp_path / "t.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="not a whole NumPy archive"):
        NumpyArchive(path="t.npz").load(tmp_path, None)
