"""files/model.py and files/run.py: to the bit, without Qt, and hostile files get one sentence."""

import subprocess
import sys
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelError, PolybitError
from engine.files.model import load_model, load_program, read_report, write_model
from engine.files.run import read_run
from engine.train.loop import Run

HEADLESS = """
import sys
for name in ("PySide6", "pyqtgraph", "scipy", "qtawesome"):
    sys.modules[name] = None
import numpy as np, engine
answer = engine.load_model(sys.argv[1])
x = np.load(sys.argv[2])
found = answer.answer(answer.records(x))
np.savez(sys.argv[3], scores=found.scores, labels=answer.predict(x))
assert not [m for m in sys.modules if m.split(".")[0] == "app"]
assert "engine.train.loop" not in sys.modules
"""


@pytest.fixture
def trained(binary_project, tmp_path):
    run = Run(binary_project, tmp_path / "run.h5")
    list(run.steps())
    return run


@pytest.fixture
def model(trained, tmp_path):
    write_model(tmp_path / "m.h5", trained.program(), trained.project, {"run": {"test_accuracy": 1.0}})
    return tmp_path / "m.h5"


def test_headless_prediction_is_identical_to_the_bit(trained, model, tmp_path):
    x = trained.validation.samples
    np.save(tmp_path / "x.npy", x)
    files = [model, tmp_path / "x.npy", tmp_path / "y.npz"]
    subprocess.run([sys.executable, "-c", HEADLESS, *map(str, files)], check=True)
    found = np.load(tmp_path / "y.npz")
    expected = trained.program().answer(trained.validation)
    assert found["scores"].tobytes() == expected.scores.tobytes()
    assert found["labels"].tobytes() == expected.labels.tobytes()


def test_a_run_file_gives_the_program_that_was_trained(trained, tmp_path):
    program = read_run(tmp_path / "run.h5").program()
    assert program.graph == trained.program().graph
    expected = trained.program().answer(trained.validation)
    assert program.answer(trained.validation).scores.tobytes() == expected.scores.tobytes()
    assert load_program(tmp_path / "run.h5").packed.keys() == program.packed.keys()


def test_the_report_keeps_counted_and_measured_figures(model):
    report = read_report(model)
    assert report["counted"]["weight_bytes"] > 0
    assert report["run"] == {"test_accuracy": 1.0}


def test_weights_are_packed_sixty_four_to_a_word(model):
    with h5py.File(model) as file:
        hidden = file["weights/hidden/weight"]
        assert hidden.dtype == np.uint64
        assert hidden.shape == (48, 1)
        assert hidden.chunks is None


def edited(model, change):
    with h5py.File(model, "r+") as file:
        change(file)
    return model


def set_plan(file, old, new):
    text = file["plan"][()].tobytes().decode().replace(old, new)
    del file["plan"]
    file["plan"] = np.frombuffer(text.encode(), np.uint8)


def compressed(file):
    del file["weights/hidden/weight"]
    file.create_dataset("weights/hidden/weight", data=np.zeros((48, 1), np.uint64), compression="gzip")


def linked(file):
    del file["weights/hidden/weight"]
    file["weights/hidden/weight"] = h5py.ExternalLink("other.h5", "/x")


def softly_linked(file):
    del file["weights/hidden/weight"]
    file["weights/hidden/weight"] = h5py.SoftLink("/plan")


def reshaped(file):
    del file["weights/hidden/weight"]
    file["weights/hidden/weight"] = np.zeros((48, 2), np.uint64)


def turned(file):
    file["weights/hidden/weight"][0, 0] ^= np.uint64(1)


def infinite(file):
    file["weights/head/bias"][0] = np.inf


def unbounded(file):
    text = file["input"][()].tobytes().decode().replace('"shape": [6, 6]', '"shape": [Infinity, 6]')
    del file["input"]
    file["input"] = np.frombuffer(text.encode(), np.uint8)


def endless(file):
    file["weights/hidden/again"] = file["weights"]


HOSTILE = {
    "one bit turned": (turned, "Its contents are not those that were written"),
    "unsealed": (lambda f: f.attrs.__delitem__("seal"), "Its contents are not those that were written"),
    "infinite weight": (infinite, "'head/bias' holds values that are not numbers"),
    "infinite shape": (unbounded, "'input' does not say what records look like"),
    "group in itself": (endless, "is not expected there"),
    "newer": (
        lambda f: f.attrs.__setitem__("version", 99),
        "This file has format 99; this program reads up to 1",
    ),
    "not ours": (
        lambda f: f.attrs.__setitem__("polybit_format", np.bytes_("x")),
        "This is not a Polybit model file",
    ),
    "compressed": (compressed, "'weight' is not stored plainly"),
    "external link": (linked, "is a link; links are not followed"),
    "soft link": (softly_linked, "is a link; links are not followed"),
    "other shape": (reshaped, "'hidden/weight' must be uint64 (48, 1); got uint64 (48, 2)"),
    "huge plan": (lambda f: set_plan(f, '"units": 48', '"units": 65536'), "claims"),
    "unknown kind": (lambda f: set_plan(f, "bnn.sign", "bnn.sigh"), "There is no kind of node 'bnn.sigh'"),
    "missing array": (lambda f: f.__delitem__("weights/hidden/scale"), "It has no 'scale'"),
    "no plan": (lambda f: f.__delitem__("plan"), "It has no 'plan'"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_gets_a_sentence(model, name):
    change, words = HOSTILE[name]
    with pytest.raises(ModelError) as caught:
        load_model(edited(model, change))
    assert words in str(caught.value)
    assert "m.h5" in str(caught.value)


def test_files_that_are_not_there_or_not_hdf5_get_a_sentence(tmp_path):
    with pytest.raises(ModelError, match="There is no such file"):
        load_model(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ModelError, match="It cannot be read as HDF5"):
        load_model(tmp_path / "text.h5")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_model_loads_or_gets_a_sentence(model, data, tmp_path):
    raw = bytearray(model.read_bytes())
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw))) :]
    for _ in range(data.draw(st.integers(0, 6))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged.h5").write_bytes(raw)
    with suppress(PolybitError):  # any other error fails the test
        load_model(tmp_path / "damaged.h5")
