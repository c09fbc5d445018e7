"""The data set of a graph: found, read, parted, and replaced by another file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from engine.data.dataset import open_data, override, read_all
from engine.errors import DataError, GraphError
from engine.flow.output import ClassifierOutput
from engine.flow.split import Split
from engine.graph import Graph
from engine.sources.csv import CsvTable
from engine.sources.hdf5 import Hdf5File
from engine.sources.idx import IdxImages
from engine.sources.npz import NumpyArchive

DIGITS = Path(__file__).parents[2] / "projects" / "digits"


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    x = np.arange(80, dtype=np.float32).reshape(20, 2, 2)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(20) % 2, age=np.arange(20))
    node = NumpyArchive(path="a.npz").probe(tmp_path)
    return Graph().add("data", node).add("split", Split(train=60, validation=20, test=20))


def test_every_record_is_in_one_part_with_its_facts(graph: Graph, tmp_path: Path) -> None:
    splits = open_data(graph, tmp_path)
    parts = (splits.train, splits.validation, splits.test)
    assert [len(p) for p in parts] == [12, 4, 4]
    firsts = sorted(float(v) for p in parts for v in p.samples[:, 0, 0])
    assert firsts == [4.0 * i for i in range(20)]
    assert all((p.samples[:, 0, 0] == 4 * p.facts[:, 0]).all() for p in parts)
    assert all((p.labels == p.facts[:, 0] % 2).all() for p in parts)
    assert splits.notes == ()


def test_a_graph_without_a_split_gets_one_and_says_so(graph: Graph, tmp_path: Path) -> None:
    splits = open_data(graph.remove("split"), tmp_path)
    assert [len(p) for p in (splits.train, splits.validation, splits.test)] == [14, 2, 4]
    assert "has no Split: 70, 10 and 20 %" in splits.notes[0]


def test_records_without_a_class_are_left_out_with_a_note(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((6, 2)), y=[0, 1, -1, 0, 1, -1], classes=["a", "b"])
    graph = Graph().add("data", NumpyArchive(path="a.npz").probe(tmp_path))
    splits = open_data(graph, tmp_path)
    assert sum(len(p) for p in (splits.train, splits.validation, splits.test)) == 4
    assert any("2 records without a class are left out" in note for note in splits.notes)


def test_there_must_be_one_source_and_at_most_one_split(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"this one has 0\. Add one"):
        open_data(Graph(), tmp_path)
    with pytest.raises(GraphError, match="one data source; this one has 2"):
        open_data(graph.add("more", CsvTable()), tmp_path)
    with pytest.raises(GraphError, match="takes one Split; this one has 2"):
        open_data(graph.add("more", Split()), tmp_path)


def test_a_source_that_feeds_nothing_does_not_count_once_the_answer_is_wired(
    graph: Graph, tmp_path: Path
) -> None:
    wired = (
        graph.add("more", CsvTable()).add("out", ClassifierOutput()).wire("data", "labels", "out", "labels")
    )
    assert len(read_all(wired, tmp_path)) == 20


def test_another_file_of_the_kind_keeps_the_header_and_the_other_fields(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", img=np.ones((4, 2)), y=[3, 5, 3, 5])
    np.savez(tmp_path / "b.npz", img=np.ones((2, 2)), y=[5, 5])
    graph = Graph().add("data", NumpyArchive(path="a.npz", samples="img").probe(tmp_path), 7, 9)
    after = override(graph, tmp_path / "b.npz")
    assert read_all(after, Path("elsewhere")).labels.tolist() == [1, 1]
    assert after.placed("data").x == 7
    assert after.nodes.keys() == graph.nodes.keys()
    assert read_all(graph, tmp_path).labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("suffix", [".csv", ".idx", ".gz", ".h5"])
def test_a_file_of_another_kind_is_read_with_the_same_shape_and_classes(
    graph: Graph, tmp_path: Path, suffix: str
) -> None:
    import h5py

    images = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    place = tmp_path / f"later-images{suffix}"
    if suffix == ".csv":
        place.write_text("a;b;c;d;class\n1;2;3;4;1\n5;6;7;8;0\n")
    elif suffix == ".h5":
        with h5py.File(place, "w") as file:
            file["x"], file["y"] = images, np.array([1, 0])
    else:
        close = gzip.compress if suffix == ".gz" else bytes
        place.write_bytes(close(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, *images.flat])))
        (tmp_path / f"later-labels{suffix}").write_bytes(close(bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 0])))
    after = override(graph, place)
    kinds = {".csv": CsvTable, ".idx": IdxImages, ".gz": IdxImages, ".h5": Hdf5File}
    assert isinstance(after.node("data"), kinds[suffix])
    records = read_all(after, tmp_path)
    assert (records.samples == images).all()
    assert records.labels.tolist() == [1, 0]
    assert np.isnan(records.facts).all()


def test_idx_labels_of_the_old_images_are_not_kept(tmp_path: Path) -> None:
    graph = Graph().add("data", IdxImages(images="a.idx", labels="b.idx"))
    after = override(graph, tmp_path / "c.idx").node("data")
    assert isinstance(after, IdxImages)
    assert after.labels == ""


def test_a_suffix_that_no_source_reads_is_refused(graph: Graph) -> None:
    with pytest.raises(
        DataError, match=r"reads files like 'a\.xls'\. Give a file that ends in -ubyte, \.csv"
    ):
        override(graph, Path("a.xls"))


def test_the_shipped_digits_end_in_their_test_part() -> None:
    node = NumpyArchive(path="digits.npz").probe(DIGITS)
    graph = Graph().add("data", node)
    graph = graph.add("split", Split(train=56.778, validation=10, test=33.222, test_part="last"))
    assert node.header is not None
    assert (node.header.shape, node.header.records) == ((8, 8), 1797)
    splits = open_data(graph, DIGITS)
    assert len(splits.test) == 597
    assert (splits.test.samples == read_all(graph, DIGITS).samples[1200:]).all()
