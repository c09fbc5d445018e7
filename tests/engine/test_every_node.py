"""What every kind in the catalogue must keep to; a new node is tested by being there."""

import inspect
from itertools import product

import h5py
import numpy as np
import pytest

from engine.catalog import FAMILIES, NODES, SECTIONS
from engine.files.store import read_arrays, write_arrays
from engine.node import ShapeError
from engine.ports import CONVERSIONS, Column, Spec
from engine.source import Source

CLASSES = ("a", "b", "c")
EXAMPLES = {
    "real": (Spec("real", (70,)), Spec("real", (8, 9)), Spec("real", (3,)), Spec("real", (6, 5, 4))),
    "bits": (Spec("bits", (70,), "1", low=-1), Spec("bits", (70,), "2", step=1 / 3)),
    "hypervector": (Spec("hypervector", (200,)),),
    "spikes": (Spec("spikes", (5, 70)),),
    "scores": (Spec("scores", (3,), classes=CLASSES),),
    "facts": (Spec("facts", (2,), columns=(Column("age"), Column("colour", ("blue", "red")))),),
    "labels": (Spec("labels", (), classes=CLASSES),),
}
RUNNING = [kind for kind, cls in NODES.items() if not issubclass(cls, Source)]

every_kind = pytest.mark.parametrize("kind", NODES)
every_running_kind = pytest.mark.parametrize("kind", RUNNING)


def inputs_for(node):
    """The first combination of example specs that the node accepts."""
    choices = [[spec for t in port.accepts for spec in EXAMPLES[t]] for port in node.inputs]
    for specs in product(*choices):
        try:
            node.specs(*specs)
        except ShapeError:
            continue
        return specs
    raise AssertionError(f"{node.kind} accepts none of the example inputs")


def arrays_for(specs, n, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for spec in specs:
        like = spec.array(n)
        if spec.type == "labels":
            value = rng.integers(0, len(spec.classes), n)
        elif spec.type == "facts":
            value = rng.integers(0, 2, like.shape)
        elif spec.type == "spikes":
            value = rng.random(like.shape) < 0.3
        elif spec.packed:
            bits = rng.random((n, like.shape[1] * 64)) < 0.5
            bits[:, spec.elements :] = False
            value = np.packbits(bits, axis=1, bitorder="little").view(np.uint64)
        elif spec.type == "bits":
            value = rng.integers(0, 4, like.shape)
        else:
            value = rng.random(like.shape)
        made.append(np.ascontiguousarray(value, like.dtype))
    return made


@pytest.fixture
def node(kind):
    return NODES[kind]()


@pytest.fixture
def prepared(node):
    """Specs, inputs and weights of the node, fitted or filled where it learns so."""
    specs = inputs_for(node)
    rng = np.random.default_rng(0)
    weights = node.start(rng, *specs)
    arrays = arrays_for(specs, 40)
    if node.learning == "fit":
        weights = node.fit(weights, *arrays)
    if node.learning == "memory":
        list(node.learn(weights, rng.integers(0, 3, 40), rng, *arrays))
    return specs, arrays, weights


@every_kind
def test_that_its_docstring_states_every_field(kind):
    cls = NODES[kind]
    text = inspect.getdoc(cls)
    shown = [n for n, about in cls.about().items() if about.form != "hidden"]
    missing = [
        n for n in shown if f"{n}:" not in text and not any(f"{n}," in line for line in text.split("\n"))
    ]
    assert not missing
    assert all(about.help for about in cls.about().values() if about.form != "hidden")


@every_kind
def test_that_the_palette_can_show_it(kind):
    cls = NODES[kind]
    assert kind.count(".") == 1
    assert cls.family in SECTIONS
    assert cls.title
    assert cls.summary
    assert cls.icon.startswith("ph.")
    names = [p.name for p in cls.inputs], [p.name for p in cls.outputs]
    assert all(len(set(n)) == len(n) for n in names)


@every_kind
def test_that_a_file_gives_back_its_parameters(node):
    assert type(node).of(node.values()) == node


@every_running_kind
def test_that_it_gives_the_arrays_it_promised(node, prepared):
    specs, arrays, weights = prepared
    outputs = node.predictor(node.pack(weights, *specs), *specs)(*arrays) if node.outputs else ()
    for spec, array in zip(node.specs(*specs), outputs, strict=True):
        like = spec.array(40)
        assert array.shape == like.shape
        assert array.dtype == like.dtype


@every_running_kind
def test_that_a_record_is_answered_alike_in_any_batch(node, prepared):
    specs, arrays, weights = prepared
    if not node.outputs:
        pytest.skip("it has no outputs")
    predict = node.predictor(node.pack(weights, *specs), *specs)
    together = predict(*arrays)
    for row in (0, 7, 39):
        alone = predict(*(a[row : row + 1] for a in arrays))
        assert [a.tobytes() for a in alone] == [a[row : row + 1].tobytes() for a in together]


@every_running_kind
def test_that_packed_arrays_have_the_shapes_that_fresh_ones_have(node, prepared, tmp_path):
    specs, _, weights = prepared
    fresh = node.pack(node.start(np.random.default_rng(1), *specs), *specs)
    packed = node.pack(weights, *specs)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        write_arrays(file, "weights", {"node": packed})
    with h5py.File(tmp_path / "m.h5") as file:
        again = read_arrays(file, "weights", "m.h5", {"node": fresh})["node"]
    assert {k: v.tobytes() for k, v in again.items()} == {k: v.tobytes() for k, v in packed.items()}


@every_running_kind
def test_that_training_gives_the_shapes_of_predicting(node, prepared):
    specs, arrays, weights = prepared
    operator = node.operator(weights, 40, *specs)
    outputs = operator.execute(*arrays) if node.outputs else ()
    for spec, array in zip(node.specs(*specs), outputs, strict=True):
        assert array.shape == spec.array(40).shape
    grads = [
        np.ones((40, *s.shape), np.float32) if s.type not in ("labels", "facts") else None
        for s in node.specs(*specs)
    ]
    back = operator.gradient(*grads) if node.outputs else (None,) * len(node.inputs)
    assert len(back) == len(node.inputs)
    for spec, grad in zip(specs, back, strict=True):
        assert grad is None or grad.shape == (40, *spec.shape)
    assert {p.name for p in operator.parameters()} <= set(weights)
    assert all(p.grad.shape == p.value.shape for p in operator.parameters())
    assert all(isinstance(line, str) for line in operator.hardware_profile())
    assert min(vars(operator.memory_footprint()).values()) >= 0


@every_running_kind
def test_that_no_gradient_coming_back_is_borne(node, prepared):
    specs, arrays, weights = prepared
    if not node.outputs:
        pytest.skip("it has no outputs")
    operator = node.operator(weights, 40, *specs)
    operator.execute(*arrays)
    assert operator.gradient(*(None,) * len(node.outputs)) == (None,) * len(node.inputs)


@every_running_kind
def test_that_its_cost_is_counted_in_whole_numbers(node, prepared):
    specs, _, _ = prepared
    cost = node.cost(*specs)
    assert isinstance(cost.weight_bits, int)
    assert cost.weight_bits >= 0
    assert all(isinstance(w.count, int) and w.count >= 0 for w in cost.work)


@every_running_kind
def test_that_the_counted_size_is_the_packed_size(node, prepared):
    specs, _, weights = prepared
    packed = sum(a.nbytes for a in node.pack(weights, *specs).values())
    counted = node.cost(*specs).weight_bits / 8
    assert abs(packed - counted) <= max(64, 0.02 * packed)


def test_that_every_option_says_what_it_computes():
    assert FAMILIES
    for family in FAMILIES.values():
        for option in family.all():
            assert option.title
            assert option.formula
            assert callable(option.make)


def test_that_conversions_join_known_types():
    assert {t for pair in CONVERSIONS for t in pair} <= set(EXAMPLES)
