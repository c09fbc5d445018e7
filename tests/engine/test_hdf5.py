"""The HDF5 source: datasets, facts, texts, and files that lead elsewhere."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.errors import DataError
from engine.sources import hdf5, opening
from engine.sources.hdf5 import Hdf5File

X = np.arange(24, dtype=np.float64).reshape(4, 3, 2)


@pytest.fixture
def file(tmp_path: Path):
    with h5py.File(tmp_path / "t.h5", "w") as opened:
        opened["x"] = X
        opened["y"] = np.array([2, 1, 2, 1])
        yield opened


def load(file: h5py.File, header=None, **fields: str):
    place = Path(file.filename)
    file.flush()
    file.close()
    return Hdf5File.of({"path": place.name, **fields}).load(place.parent, header)


def test_datasets_are_read_with_their_classes(file: h5py.File) -> None:
    header, records = load(file)
    assert header.shape == (3, 2)
    assert header.classes == ("1", "2")
    assert records.labels.tolist() == [1, 0, 1, 0]
    assert (records.samples == X).all()


def test_facts_and_classes_beside_the_data_are_read(file: h5py.File) -> None:
    file["deep/er/x"] = X.astype(np.uint8)
    file["deep/er/label"] = np.array([0, 1, 1, 0])
    file["deep/er/classes"] = ["cat", "dog"]
    file["deep/er/age"] = [1.0, np.nan, 3, 4]
    file["deep/er/town"] = np.array([b"p", b"q", b"", b"p"])
    file["deep/er/group/x"] = [1, 2, 3, 4]
    header, records = load(file, samples="deep/er/x", labels="/deep/er/label")
    assert header.classes == ("cat", "dog")
    assert [(c.name, c.categories) for c in header.columns] == [("age", ()), ("town", ("p", "q"))]
    np.testing.assert_array_equal(records.facts, [[1, 0], [np.nan, 1], [3, np.nan], [4, 0]])


def test_texts_of_any_length_name_classes(file: h5py.File) -> None:
    file["names"] = ["rot", "grün", "rot", "blau"]
    header, records = load(file, labels="names")
    assert header.classes == ("blau", "grün", "rot")
    assert records.labels.tolist() == [2, 1, 2, 0]


def test_labels_may_be_absent_from_a_file_to_predict(file: h5py.File, tmp_path: Path) -> None:
    header, _ = load(file)
    with h5py.File(tmp_path / "p.h5", "w") as later:
        later["x"] = X[:1]
    _, records = Hdf5File(path="p.h5").load(tmp_path, header)
    assert records.labels.tolist() == [-1]
    with pytest.raises(DataError, match="no dataset 'y' for the labels; there are x"):
        Hdf5File(path="p.h5").load(tmp_path, None)


def secret(file: h5py.File) -> str:
    place = Path(file.filename).with_name("secret.h5")
    with h5py.File(place, "w") as other:
        other["x"] = X
    return place.name


@pytest.mark.parametrize("name", ["out", "way/out", "group/x"])
def test_links_are_not_followed(file: h5py.File, name: str) -> None:
    file["out"] = h5py.ExternalLink(secret(file), "/x")
    file["way/out"] = h5py.SoftLink("/x")
    file["group"] = h5py.ExternalLink(secret(file), "/")
    with pytest.raises(DataError, match="is a link, which could lead out of the file"):
        load(file, samples=name)


def test_links_among_the_facts_are_passed_over(file: h5py.File) -> None:
    file["out"] = h5py.ExternalLink(secret(file), "/x")
    file["soft"] = h5py.SoftLink("/y")
    file["gone"] = h5py.ExternalLink("none.h5", "/x")
    header, _ = load(file)
    assert header.columns == ()


def test_virtual_datasets_are_refused(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(X.shape, X.dtype)
    layout[:] = h5py.VirtualSource(secret(file), "x", X.shape)
    file.create_virtual_dataset("v", layout)
    with pytest.raises(DataError, match="keeps its values in other files"):
        load(file, samples="v")


@pytest.mark.parametrize("role", ["samples", "labels", "fact"])
def test_external_storage_is_refused(file: h5py.File, role: str, tmp_path: Path) -> None:
    (tmp_path / "passwords").write_bytes(bytes(range(64)))
    kept = [(str(tmp_path / "passwords"), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset("e", (4,), np.uint8, external=kept)
    with pytest.raises(DataError, match="values in other files"):
        load(file, **({role: "e"} if role != "fact" else {}))


def test_sizes_beyond_memory_and_bombs_are_refused(file: h5py.File, monkeypatch: pytest.MonkeyPatch) -> None:
    file.create_dataset("huge", (1 << 20, 1 << 20), np.float64, chunks=(1024, 1024))
    file.create_dataset(
        "bomb", (1 << 10, 1 << 12), np.uint8, compression="gzip", data=np.zeros((1 << 10, 1 << 12))
    )
    monkeypatch.setattr(opening, "INFLATION_FROM", 1 << 20)
    place = Path(file.filename)
    with pytest.raises(DataError, match="It declares"):
        load(file, samples="huge")
    with pytest.raises(DataError, match="would inflate to"):
        Hdf5File(path=place.name, samples="bomb").load(place.parent, None)


def test_a_filter_that_would_load_a_plugin_is_refused(file: h5py.File) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((2, 3))
    made.set_filter(32999, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((2, 3))
    h5py.h5d.create(file.id, b"odd", h5py.h5t.NATIVE_DOUBLE, space, made)
    with pytest.raises(DataError, match=r"by a filter \(32999\)"):
        load(file, samples="odd")


def test_a_damaged_heap_of_texts_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as made:
        made["x"] = X
        made["y"] = ["a", "b", "c", "a"]
    data = bytearray((tmp_path / "t.h5").read_bytes())
    data[data.index(b"GCOL") + 96] = 255  # the HDF5 library looks for this heap object for ever
    (tmp_path / "t.h5").write_bytes(data)
    monkeypatch.setattr(hdf5, "SECONDS", 2)
    with pytest.raises(DataError, match=r"could not be read within 2 seconds|the file is damaged"):
        Hdf5File(path="t.h5").load(tmp_path, None)


def test_many_entries_that_point_at_long_texts_are_refused(
    file: h5py.File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5, "_MOST_TEXT", 3000)
    file["names"] = ["a" * 900, "b" * 900, "a" * 900, "b" * 900]
    with pytest.raises(DataError, match="texts are longer"):
        load(file, labels="names")


@pytest.mark.parametrize(
    ("make", "fields", "words"),
    [
        (lambda f: None, {"samples": "none"}, "no dataset 'none' for the samples; there are x, y"),
        (lambda f: f.create_group("g"), {"samples": "g"}, "no dataset 'g'"),
        (lambda f: None, {"samples": "x/y"}, "no dataset 'x/y'"),
        (lambda f: None, {"samples": ""}, "no dataset ''"),
        (lambda f: f.create_dataset("one", data=1.0), {"samples": "one"}, "single value"),
        (lambda f: f.create_dataset("e", data=h5py.Empty("f")), {"samples": "e"}, "single value"),
        (
            lambda f: f.create_dataset("c", data=np.zeros(4, [("a", "i4"), ("b", "f4")])),
            {"samples": "c"},
            "numbers and texts are read",
        ),
        (
            lambda f: f.create_dataset("r", data=[f["x"].ref] * 4, dtype=h5py.ref_dtype),
            {"labels": "r"},
            "numbers and texts are read",
        ),
        (lambda f: f.create_dataset("t", data=["a", "b"]), {"samples": "t"}, "Samples must be numbers"),
        (lambda f: f.create_dataset("t", data=[["a"] * 2] * 4), {"labels": "t"}, "Texts must have one axis"),
    ],
)
def test_datasets_that_do_not_fit_are_refused_with_a_sentence(
    file: h5py.File, make, fields, words: str
) -> None:
    make(file)
    with pytest.raises(DataError, match=words):
        load(file, **fields)


def test_a_file_that_is_not_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.h5").write_bytes(b"label,x\n" * 100)
    with pytest.raises(DataError, match="not a whole HDF5 file"):
        Hdf5File(path="t.h5").load(tmp_path, None)
