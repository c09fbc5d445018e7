"""Random, cut and altered files: every reader reads them or says one sentence, and nothing else happens."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.source import Source
from engine.sources.csv import CsvTable
from engine.sources.hdf5 import Hdf5File
from engine.sources.idx import IdxImages
from engine.sources.npz import NumpyArchive

X = np.arange(96, dtype=np.float32).reshape(16, 6)
Y = np.arange(16) % 3
FUZZ = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def csv_bytes() -> bytes:
    rows = [f'{i},{i / 7:.3f},"{"ab"[i % 2]}",c{i % 3}' for i in range(16)]
    return "\n".join(["n,x,kind,label", *rows]).encode()


def npz_bytes() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, x=X, y=Y, classes=np.array(["a", "b", "c"]), age=np.arange(16.0))
    return out.getvalue()


def idx_bytes() -> bytes:
    return bytes([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 6]) + bytes(range(96))


def hdf5_bytes(folder: Path) -> bytes:
    with h5py.File(folder / "made.h5", "w") as file:
        file.create_dataset("x", data=X, compression="gzip")
        file["y"] = np.array([b"a", b"b", b"c", b"a"] * 4)
        file["age"] = np.arange(16.0)
    return (folder / "made.h5").read_bytes()


READERS: dict[str, tuple[type[Source], str]] = {
    "csv": (CsvTable, "f.csv"),
    "npz": (NumpyArchive, "f.npz"),
    "idx": (IdxImages, "f.idx"),
    "gz": (IdxImages, "f.gz"),
    "hdf5": (Hdf5File, "f.h5"),
}


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("made")
    packed = gzip.compress(idx_bytes())
    return {
        "csv": csv_bytes(),
        "npz": npz_bytes(),
        "idx": idx_bytes(),
        "gz": packed,
        "hdf5": hdf5_bytes(folder),
    }


def read(name: str, folder: Path, data: bytes) -> bool:
    """Return whether the file was read; anything but a one-sentence DataError is raised on."""
    kind, file = READERS[name]
    (folder / file).write_bytes(data)
    node = kind.of({kind.path_field: file})
    try:
        header, records = node.load(folder, None)
    except DataError as error:
        if "\n" in error.what or not error.what.endswith("."):
            pytest.fail(f"not one sentence: {error}")
        return False
    assert len(records) == header.records
    assert np.isfinite(records.samples).all()
    assert records.labels.max(initial=-1) < max(1, len(header.classes))
    return True


@pytest.mark.parametrize("name", READERS)
def test_the_unaltered_file_is_read(name: str, valid: dict[str, bytes], tmp_path: Path) -> None:
    assert read(name, tmp_path, valid[name])


@pytest.mark.parametrize("name", READERS)
@FUZZ
@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused_in_a_sentence(name: str, tmp_path: Path, data: bytes) -> None:
    read(name, tmp_path, data)


@pytest.mark.parametrize("name", ["npz", "idx", "gz", "hdf5"])
@FUZZ
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_off_anywhere_is_refused(
    name: str, valid: dict[str, bytes], tmp_path: Path, share: float
) -> None:
    whole = valid[name]
    assert not read(name, tmp_path, whole[: int(len(whole) * share)])


@pytest.mark.parametrize("name", READERS)
@FUZZ
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_an_altered_file_is_read_or_refused_in_a_sentence(
    name: str, valid: dict[str, bytes], tmp_path: Path, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(valid[name])
    for place, byte in changes:
        data[int(len(data) * place)] = byte
    read(name, tmp_path, bytes(data))
