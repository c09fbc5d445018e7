"""resources/help/model-format.md: a reader in plain NumPy that follows the page gives the same bits."""

import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.bnn.dense import Dense
from engine.files.model import load_model, write_model
from engine.files.project import open_project
from engine.ports import Spec
from engine.train.loop import train

DIGITS = Path(__file__).parents[2] / "projects" / "digits"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    project = open_project(DIGITS / "digits-binary.polybit")
    project = replace(project, training=replace(project.training, epochs=1))
    end = list(train(project))[-1]
    path = tmp_path_factory.mktemp("model") / "model.h5"
    write_model(path, end.program, project)
    return path


def signs(words, count):
    bits = (words[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return np.where(bits.reshape(*words.shape[:-1], -1)[..., :count] == 1, 1, -1)


def dense(node, x):
    weight = signs(node["weight"][()], x.shape[1])
    if x.dtype == np.float32:
        total = np.zeros((len(x), len(weight)), np.float32)
        for i in range(x.shape[1]):
            total = total + x[:, i : i + 1] * weight[:, i].astype(np.float32)
    else:
        total = (x @ weight.T).astype(np.float32)
    return total * node["scale"][()] + node["bias"][()]


def test_plain_numpy_gives_the_same_scores_to_the_bit(model):
    samples = np.load(DIGITS / "digits.npz")["x"][:300].astype(np.float32)
    samples[17] = 0
    with h5py.File(model) as file:
        weights = file["weights"]
        x = samples.reshape(len(samples), -1)
        largest = np.abs(x).max(1, keepdims=True)
        x = np.divide(x, largest, out=np.zeros_like(x), where=largest > 0)
        x = dense(weights["Binary layer"], x)
        x = x * weights["Batch norm/scale"][()] + weights["Batch norm/shift"][()]
        scores = dense(weights["Class scores"], np.where(x >= 0, 1, -1))
        labels = json.loads(file["labels"][()].tobytes())
    program = load_model(model)
    answer = program.answer(program.records(samples))
    assert scores.dtype == np.float32
    assert scores.tobytes() == answer.scores.tobytes()
    assert (scores.argmax(1) == answer.labels).all()
    assert tuple(labels) == answer.classes


def test_the_seal_and_the_hash_are_as_the_page_says(model):
    sha = hashlib.sha256()

    def take(group):
        for name in sorted(group):
            if isinstance(group[name], h5py.Group):
                take(group[name])
                continue
            array = group[name][()]
            path = f"{group.name.strip('/')}/{name}"
            sha.update(f"{path} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())

    with h5py.File(model) as file:
        take(file)
        assert file.attrs["seal"].decode() == sha.hexdigest()
        plan = file["plan"][()].tobytes()
        assert file.attrs["project_hash"].decode() == hashlib.sha256(plan).hexdigest()


def levels(x, centre, step, low, high):
    scaled = (x - np.float32(centre)) / np.float32(step)
    return np.clip(np.rint(scaled), low, high).astype(np.int64), step


def bits_of(there, step):
    return np.where(there, 1, -1), step


# The tables of the page: levels and what one counts, for arrays a, n = 2^bits - 1, half = 2^(bits - 1).
INPUTS = {
    "rsign": lambda a, x, n, half: bits_of(x + a["input_shift"] >= 0, 1.0),
    "heaviside": lambda a, x, n, half: bits_of(x > 0, 0.5),
    "adabin": lambda a, x, n, half: bits_of(x - a["input_centre"] >= 0, float(a["input_distance"][0])),
    "min_max": lambda a, x, n, half: levels(x, a["input_offset"][0], float(a["step"][0]), 0, n),
    "lsq_plus": lambda a, x, n, half: levels(x, a["input_offset"][0], float(a["step"][0]), 0, n),
    "lsq_unsigned": lambda a, x, n, half: levels(x, 0, float(a["step"][0]), 0, n),
    "pact": lambda a, x, n, half: levels(x, 0, float(a["input_clip"][0]) / n, 0, n),
    "qil": lambda a, x, n, half: (
        levels(x, a["input_middle"][0] - a["input_reach"][0], 2.0 * float(a["input_reach"][0]) / n, 0, n)[0],
        1.0 / n,
    ),
    "tqt": lambda a, x, n, half: levels(
        x, 0, 2.0 ** np.ceil(float(a["input_log_threshold"][0])) / half, -half, half - 1
    ),
    "apot": lambda a, x, n, half: sums_of_powers(x, a["input_clip"][0], n),
    "n2uq": lambda a, x, n, half: thresholds(x, a),
    "dynamic_threshold": lambda a, x, n, half: bits_of(x + shift_of(x, a) >= 0, 1.0),
    "power_of_two_step": lambda a, x, n, half: levels(
        x, 0, 2.0 ** np.ceil(np.log2(float(a["step"][0]))), -half, half - 1
    ),
}


def thresholds(x, a):
    edges = np.float64(a["input_start"][0]) + np.concatenate(
        [[0.0], np.cumsum(a["input_intervals"], dtype=np.float64)]
    )
    between = ((edges[1:] + edges[:-1]) / 2).astype(np.float32)
    return (x[..., None] > between).sum(axis=-1), float(a["step"][0])


def sums_of_powers(x, clip, n):
    terms = {3: [(0, 1, 2, 4)], 7: [(0, 8, 4, 1), (0, 2)], 15: [(0, 32, 8, 2), (0, 16, 4, 1)]}[n]
    sizes = np.unique([sum(parts) for parts in itertools.product(*terms)])
    step = float(clip / np.float32(sizes[-1]))
    return sizes[np.abs((x / np.float32(step))[..., None] - sizes).argmin(axis=-1)], step


def in_order(rows, weights):
    """Sums in order, float32 (n, m)."""
    total = np.zeros((len(rows), len(weights)), np.float32)
    for i in range(rows.shape[1]):
        total += rows[:, i : i + 1] * weights[:, i]
    return total


def shift_of(x, a):
    """The shift of flat records: each is its own means."""
    hidden = np.maximum(in_order(x, a["input_squeeze"]) + a["input_squeeze_bias"], np.float32(0))
    return in_order(hidden, a["input_expand"]) + a["input_expand_bias"]


def weight_values(packed, width, inputs, book=None, blocks=None):
    if width == "1":
        return signs(packed, inputs)
    bits = np.where(signs(packed, inputs) == 1, 1, 0)
    if book is not None:
        entries = book[np.minimum(np.tensordot(2 ** np.arange(len(bits)), bits, 1), len(book) - 1)]
        return (
            entries
            if blocks is None
            else entries * np.repeat(np.exp2(blocks.astype(float)), 32, 1)[:, :inputs]
        )
    counts = (
        [1, -1] if width == "ternary" else [2**i for i in range(len(bits) - 1)] + [-(2 ** (len(bits) - 1))]
    )
    return np.tensordot(np.array(counts), bits, 1)


@pytest.mark.parametrize(
    ("weight_bits", "weight", "bits", "activation"),
    [
        ("1", "adabin", "1", "heaviside"),
        ("1", "abc_net_3", "1", "rsign"),
        ("1", "lq_nets_2", "1", "adabin"),
        ("4", "affine", "4", "min_max"),
        ("4", "dorefa", "2", "lsq_plus"),
        ("2", "sawb", "8", "pact"),
        ("ternary", "ttq", "4", "tqt"),
        ("8", "tqt", "3", "lsq_unsigned"),
        ("4", "lsq_output", "4", "power_of_two_step"),
        ("4", "qil", "3", "qil"),
        ("4", "apot", "4", "n2uq"),
        ("3", "apot", "2", "n2uq"),
        ("1", "standard", "3", "apot"),
        ("8", "min_max", "4", "apot"),
        ("4", "fp4", "1", "dynamic_threshold"),
        ("3", "llt", "1", "dynamic_threshold"),
        ("8", "fractional_bits_dear", "4", "tqt"),
    ],
)
def test_quantizers_are_read_as_the_page_says(weight_bits, weight, bits, activation):
    rng, spec = np.random.default_rng(0), Spec("real", (70,))
    node = Dense(
        units=9,
        weight_bits=weight_bits,
        weight_quantizer=weight,
        activation_bits=bits,
        activation_quantizer=activation,
    )
    arrays = node.start(rng, spec)
    arrays["bias"][:] = rng.standard_normal(9)
    x = rng.standard_normal((40, 70)).astype(np.float32)
    node.operator(arrays, 40, spec).execute(x)
    if activation == "rsign":
        arrays["input_shift"][:] = rng.standard_normal(70) / 4
    if activation == "adabin":
        arrays["input_centre"][:], arrays["input_distance"][:] = 0.3, 0.7
    for name in ("input_expand", "input_expand_bias"):
        if name in arrays:
            arrays[name][...] = rng.standard_normal(arrays[name].shape) / 4
    packed = node.pack(arrays, spec)
    seen, step = INPUTS[activation](packed, x, 2 ** int(bits) - 1, 2 ** (int(bits) - 1))
    total = None
    for suffix in ("", "_2", "_3"):
        if "weight" + suffix not in packed:
            continue
        book = packed.get("book" + suffix)
        sums = seen @ weight_values(packed["weight" + suffix], weight_bits, 70, book).T
        part = sums.astype(np.float32) * (packed["scale" + suffix] * np.float32(step))
        if "offset" + suffix in packed:
            rows = seen.sum(axis=1).astype(np.float32)
            part = part + rows[:, None] * (packed["offset" + suffix] * np.float32(step))
        total = part if total is None else total + part
    if "shift" in packed:
        total = total + packed["shift"]
    total = total + packed["bias"]
    assert total.dtype == np.float32
    assert total.tobytes() == node.predictor(packed, spec)(x)[0].tobytes()


@pytest.mark.parametrize(
    ("bits", "weight"),
    [
        ("8", "fp8_e4m3"),
        ("8", "fp8_e5m2"),
        ("8", "mx_fp8"),
        ("4", "mx_fp4"),
        ("4", "mx_int"),
        ("3", "mu_law"),
    ],
)
def test_books_and_blocks_are_read_as_the_page_says(bits, weight):
    rng, spec = np.random.default_rng(0), Spec("real", (70,))
    node = Dense(units=9, weight_bits=bits, weight_quantizer=weight, bias=False)
    packed = node.pack(node.start(rng, spec), spec)
    x = rng.standard_normal((40, 70)).astype(np.float32)
    values = weight_values(packed["weight"], bits, 70, packed["book"], packed.get("blocks")).astype(
        np.float32
    )
    expected = in_order(x, values) * packed["scale"]
    assert expected.tobytes() == node.predictor(packed, spec)(x)[0].tobytes()


def test_bfloat16_weights_are_read_as_the_page_says():
    rng, spec = np.random.default_rng(0), Spec("real", (70,))
    node = Dense(units=9, weight_bits="16", weight_quantizer="bfloat16", activation_bits="16", bias=False)
    packed = node.pack(node.start(rng, spec), spec)
    x = rng.standard_normal((40, 70)).astype(np.float32)
    values = (packed["weight"].astype(np.uint32) << 16).view(np.float32)
    expected = in_order(x.astype(np.float16).astype(np.float32), values)
    assert expected.tobytes() == node.predictor(packed, spec)(x)[0].tobytes()
