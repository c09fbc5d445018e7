"""engine/zoo: every network opens without problems, is what its file says, and trains on a few records."""

import gzip
from dataclasses import replace

import numpy as np
import pytest

from engine.files.project import open_project, probed
from engine.train.loop import train
from engine.train.progress import EpochDone, Finished
from engine.zoo import ZOO

every_net = pytest.mark.parametrize("key", ZOO)
NETS = {
    "binaryconnect-mlp",
    "binarynet-mlp",
    "binarynet-mlp-1bit",
    "binarynet-cnn",
    "xnornet-small",
    "bireal-small",
    "reactnet-small",
    "quicknet-small",
    "bnext-tiny",
    "benn-mlp",
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with 96 images of 10 classes in the files of MNIST."""
    folder = tmp_path_factory.mktemp("digits")
    rng = np.random.default_rng(0)
    labels = (np.arange(96) % 10).astype(np.uint8)
    images = rng.integers(0, 256, (10, 28, 28))[labels] * rng.uniform(0.6, 1, (96, 28, 28))
    for name, array in (("images-idx3", images.astype(np.uint8)), ("labels-idx1", labels)):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        with gzip.open(folder / f"train-{name}-ubyte.gz", "wb") as file:
            file.write(head + array.tobytes())
    return folder


def test_that_no_network_is_missing(projects):
    assert set(ZOO) == NETS
    assert {path.stem for path in (projects / "zoo").glob("*.polybit")} == NETS


@every_net
def test_that_its_file_is_what_its_function_gives(key, projects):
    """After a change run `python -m app.zoo`."""
    read, built = open_project(projects / "zoo" / f"{key}.polybit", probe=False), ZOO[key]()
    assert {n: p.node for n, p in read.graph.nodes.items()} == {
        n: p.node for n, p in built.graph.nodes.items()
    }
    assert read.graph.wires == built.graph.wires
    assert (read.name, read.about, read.training) == (built.name, built.about, built.training)


@every_net
def test_that_it_opens_without_problems(key, projects):
    project = open_project(projects / "zoo" / f"{key}.polybit")
    assert project.graph.problems() == ()
    assert project.name
    assert "arXiv:" in project.about
    places = [(p.x, p.y) for p in project.graph.nodes.values()]
    assert len(set(places)) == len(places)


@every_net
def test_that_it_trains_and_ships(key, digits):
    built = ZOO[key]()
    small = replace(
        built, path=digits / f"{key}.polybit", training=replace(built.training, epochs=1, batch=40)
    )
    records = list(train(probed(small)))
    (epoch,) = [r for r in records if isinstance(r, EpochDone)]
    assert np.isfinite(epoch.loss)
    assert isinstance(records[-1], Finished)
    program = records[-1].program
    images = np.random.default_rng(1).integers(0, 256, (5, 28, 28)).astype(np.float32)
    together = program.answer(program.records(images)).scores
    (plain,) = program.runs(program.records(images))
    end = program.graph.into("Answer")[0]
    assert together.tobytes() == plain[end.source, end.output].tobytes()  # compiled or not
    alone = np.concatenate([program.answer(program.records(image[None])).scores for image in images])
    assert together.tobytes() == alone.tobytes()
