"""runtime/compile.py: the compiled program gives the bytes of the uncompiled one, on any graph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_programs import in_a_row, program_of, source, steps, uncompiled
from tests_wiring import wired

from engine.catalog import NODES
from engine.errors import DataError
from engine.kernels.bits import pack_signs
from engine.kernels.vectors import AVX2, COMPILED

WIDTHS = ("1", "ternary", "2", "3", "4", "8", "16", "32")


@st.composite
def graphs(draw):
    n = NODES
    flag = st.booleans()
    ends = [n["bnn.sign"](), n["bnn.rsign"](), *(n["bnn.quantize"](bits=b) for b in WIDTHS)]
    between = [
        *[n["bnn.batch_norm"]()] * 4,
        *(n["bnn.activation"](function=f) for f in ("relu", "leaky_tanh", "hard_swish")),
        *(n[kind]() for kind in ("bnn.prelu", "bnn.rprelu", "bnn.scale_bias", "bnn.dropout")),
    ]
    rows = (
        [n["flow.standardise"](method=draw(st.sampled_from(("zscore", "range_all"))))] if draw(flag) else []
    )
    rows.append(n["flow.flatten"]())
    if draw(flag):
        rows.append(draw(st.sampled_from(ends)))
    for _ in range(draw(st.integers(1, 3))):
        rows.append(
            n["bnn.dense"](
                units=draw(st.sampled_from((1, 5, 63, 64, 65, 130))),
                weight_bits=draw(st.sampled_from(WIDTHS)),
                activation_bits=draw(st.sampled_from(WIDTHS)),
                bias=draw(flag),
            )
        )
        rows += draw(st.lists(st.sampled_from(between), max_size=3))
        if draw(flag):
            rows.append(draw(st.sampled_from(ends)))
    rows.append(n["bnn.dense"](units=3, weight_bits=draw(st.sampled_from(WIDTHS)), activation_bits="1"))
    if draw(flag):
        rows.append(n["bnn.batch_norm"]())
    return in_a_row(draw(st.sampled_from(((70,), (5, 13), (128,)))), *rows)


@st.composite
def maps(draw):
    """Convolutions with poolings somewhere between them."""
    n, flag = NODES, st.booleans()
    channels, size = draw(st.sampled_from((1, 3, 32))), draw(st.integers(4, 9))
    rows = [draw(st.sampled_from([n["bnn.sign"](), n["bnn.quantize"](bits="8"), n["bnn.batch_norm"]()]))]
    for _ in range(draw(st.integers(1, 2))):
        between = [n["bnn.batch_norm"]()]
        if draw(flag):
            between.append(n["bnn.max_pool"](size=2, stride=draw(st.sampled_from((0, 1)))))
        if draw(flag):
            between += [
                n["bnn.prelu"](),
                n["bnn.batch_norm"](over=draw(st.sampled_from(("channel", "element")))),
            ]
        rows.append(
            n["bnn.conv2d"](
                filters=draw(st.sampled_from((3, 32, 64, 70))),
                kernel=draw(st.sampled_from((1, 3))),
                padding="same",
                pad_value=draw(st.sampled_from(("0", "1"))),
                weight_bits=draw(st.sampled_from(("1", "1", "2", "32"))),
                activation_bits=draw(st.sampled_from(("1", "4", "32"))),
            )
        )
        rows += draw(st.permutations(between))
        if draw(flag):
            rows.append(
                draw(st.sampled_from([n["bnn.sign"](), n["bnn.rsign"](), n["bnn.quantize"](bits="2")]))
            )
    rows += [n["flow.flatten"](), n["bnn.dense"](units=3, weight_bits="1", activation_bits="1")]
    return in_a_row((size, size, channels), *rows)


@settings(deadline=None, max_examples=120)
@given(graph=st.one_of(graphs(), maps()), seed=st.integers(0, 2**20), bytes_=st.booleans())
def test_that_compiled_and_uncompiled_programs_give_the_same_bytes(graph, seed, bytes_):
    assert not [p for p in graph.problems() if p.level == "error"]
    program = program_of(graph, seed)
    rng = np.random.default_rng(seed)
    shape = (37, *program.source.header.shape)
    samples = rng.integers(0, 256, shape).astype(np.uint8) if bytes_ else rng.standard_normal(shape) * 90
    records = program.records(samples)
    expected = uncompiled(program, records)
    assert np.isfinite(expected).all()
    assert program.answer(records).scores.tobytes() == expected.tobytes()
    runner = program.runner(5, records.samples.dtype.name)
    pieces = [runner(records.samples[i : i + 5]).copy() for i in range(0, 37, 5)]
    assert np.concatenate(pieces).tobytes() == expected.tobytes()


def binary_stack(first):
    """The BinaryNet MLP in small: a first layer of some input width, then 1 bit."""
    n = NODES
    one = {"weight_bits": "1", "activation_bits": "1"}
    return in_a_row(
        (9, 9),
        n["flow.standardise"](method="range_all"),
        n["flow.flatten"](),
        *first,
        n["bnn.dense"](units=70, **one),
        n["bnn.batch_norm"](),
        n["bnn.sign"](),
        n["bnn.dense"](units=130, **one),
        n["bnn.batch_norm"](),
        n["bnn.dense"](units=3, **one),
        n["bnn.batch_norm"](),
    )


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_that_a_binary_stack_has_no_floats_between_its_layers(dtype):
    program = program_of(binary_stack([]), 0)
    assert steps(program, dtype) == ["Compare", "Stack", "SignScores"]


def test_that_samples_of_eight_bits_reach_the_first_product_as_levels():
    program = program_of(binary_stack([NODES["bnn.quantize"](bits="8")]), 0)
    assert steps(program, "uint8") == ["Bytes", "Sums", "Compare", "Stack", "SignScores"]
    assert steps(program, "float32")[0] == "Call"


def test_that_samples_of_eight_bits_that_are_their_own_levels_are_taken_as_they_are():
    program = program_of(binary_stack([NODES["bnn.quantize"](bits="8")]), 0)
    program.packed["n0"] = {"mean": np.zeros(1, np.float32), "scale": np.full(1, 1 / 255, np.float32)}
    taken = ["Sums", "Compare", "Stack", "SignScores"]
    assert steps(program, "uint8") == (taken if AVX2 else ["Bytes", *taken])
    records = program.records(np.random.default_rng(0).integers(0, 256, (70, 9, 9)).astype(np.uint8))
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


def test_that_few_levels_between_layers_are_counted():
    n = NODES
    middle = n["bnn.dense"](units=9, weight_bits="2"), n["bnn.batch_norm"](), n["bnn.quantize"](bits="3")
    graph = in_a_row((40,), n["bnn.sign"](), *middle, n["bnn.dense"](units=3, weight_bits="ternary"))
    assert steps(program_of(graph, 0)) == ["Compare", "Sums", "Count", "Sums", "LookUp"]


def test_that_samples_that_are_not_finite_are_answered_as_without_compiling():
    program = program_of(binary_stack([]), 0)
    samples = np.random.default_rng(0).standard_normal((40, 9, 9)).astype(np.float32)
    samples[3, 2, 2], samples[17, 0, 0], samples[18] = np.inf, np.nan, -np.inf
    records = program.records(samples)
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


def test_that_threads_change_no_byte():
    program = program_of(binary_stack([]), 0)
    records = program.records(np.random.default_rng(0).standard_normal((5000, 9, 9)))
    alone = program.answer(records)
    for threads in (2, 3):
        assert program.answer(records, threads=threads).scores.tobytes() == alone.scores.tobytes()
    for n in (1, 50, 300, 5000):
        for threads in (1, 2):
            assert program.predict(records.samples[:n], threads=threads).tolist() == alone.labels[:n].tolist()


def test_that_a_convolution_of_packed_maps_writes_no_sums():
    n, one = NODES, {"weight_bits": "1", "padding": "same", "pad_value": "1"}
    first, norm = n["bnn.conv2d"](filters=64, kernel=3, **one), n["bnn.batch_norm"]()
    second = n["bnn.conv2d"](filters=128, kernel=3, **one)
    middle = first, norm, n["bnn.max_pool"](size=2), n["bnn.sign"](), second, norm, n["bnn.sign"]()
    last = n["flow.flatten"](), n["bnn.dense"](units=3, weight_bits="1")
    program = program_of(in_a_row((8, 8, 3), n["bnn.sign"](), *middle, *last), 2)
    assert steps(program) == ["Compare", "PlaceSigns", "PoolSigns", "MapSigns", "SignScores"]
    records = program.records(np.random.default_rng(0).standard_normal((40, 8, 8, 3)))
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


def test_that_samples_which_are_pooled_first_are_not_taken_for_their_levels():
    n = NODES
    first = n["bnn.max_pool"](size=2), n["bnn.quantize"](bits="8"), n["flow.flatten"]()
    program = program_of(in_a_row((6, 6, 1), *first, n["bnn.dense"](units=3, weight_bits="1")), 0)
    records = program.records(np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1)).astype(np.uint8))
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


def test_that_a_caller_may_pack_the_samples():
    program = program_of(binary_stack([]), 0)
    samples = np.random.default_rng(0).standard_normal((7, 9, 9)).astype(np.float32)
    runner = program.runner(7)
    expected = runner(samples).copy()
    assert runner.labels(samples).tolist() == expected.argmax(1).tolist()
    flat = program._predictor("n1")(program._predictor("n0")(samples)[0])[0]
    words = np.zeros((7, 2), np.uint64)
    pack_signs(flat, words)
    assert runner.of_signs(words).tobytes() == expected.tobytes()
    other = program_of(binary_stack([NODES["bnn.quantize"](bits="8")]), 0).runner(7)
    with pytest.raises(DataError, match="does not begin with one bit"):
        other.of_signs(words)


def test_that_predicting_nothing_or_another_shape_gets_a_sentence():
    program = program_of(binary_stack([]), 0)
    with pytest.raises(DataError, match="no records"):
        program.predict(np.zeros((0, 9, 9), np.uint8))
    with pytest.raises(DataError, match=r"shape \(9, 9\)"):
        program.predict(np.zeros((2, 81), np.uint8))


@pytest.mark.parametrize("bits", ["1", "32"])
def test_that_a_pooling_before_a_sign_is_one_of_bits(bits):
    n = NODES
    filters = n["bnn.conv2d"](filters=32, kernel=3, padding="same", weight_bits=bits, activation_bits=bits)
    middle = n["bnn.max_pool"](size=2), n["bnn.batch_norm"](), n["bnn.sign"](), n["flow.flatten"]()
    last = n["bnn.dense"](units=3, weight_bits="1")
    graph = in_a_row((8, 8), n["bnn.batch_norm"](), filters, *middle, last)
    program = program_of(graph, 1)
    straight = bits == "32" and COMPILED
    assert steps(program)[-2:] == (["FloatSigns", "SignScores"] if straight else ["PoolSigns", "SignScores"])
    records = program.records(np.random.default_rng(0).standard_normal((40, 8, 8)))
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()
    assert (program.packed["n3"]["scale"] < 0).any()


def test_that_a_layer_whose_output_forks_is_run_once():
    n = NODES
    graph = wired(
        {
            "data": source((70,)),
            "sign": n["bnn.sign"](),
            "hidden": n["bnn.dense"](units=3),
            "norm": n["bnn.batch_norm"](),
            "sum": n["flow.add"](),
            "out": n["flow.output"](),
        },
        [
            "data.samples -> sign.in",
            "sign.out -> hidden.in",
            "hidden.out -> norm.in",
            "hidden.out -> sum.a",
            "norm.out -> sum.b",
            "sum.out -> out.scores",
            "data.labels -> out.labels",
        ],
    )
    program = program_of(graph, 3)
    assert steps(program) == ["Compare", "SignScores", "Call", "Call"]
    records = program.records(np.random.default_rng(0).standard_normal((30, 70)))
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_that_samples_are_scaled_by_their_largest_in_one_step(dtype):
    n = NODES
    first = (
        n["flow.standardise"](method="record"),
        n["flow.flatten"](),
        n["bnn.batch_norm"](),
        n["bnn.sign"](),
    )
    program = program_of(in_a_row((5, 9), *first, n["bnn.dense"](units=3, weight_bits="1")), 0)
    program.packed["n2"]["shift"] *= np.float32(0.02)  # or no sign turns
    assert steps(program, dtype) == ["Rescale", "Compare", "SignScores"]
    samples = np.random.default_rng(0).integers(0, 256, (30, 5, 9)).astype(dtype)
    samples[3], samples[4] = 0, samples[4] // 9
    records = program.records(samples)
    expected = uncompiled(program, records)
    assert len(np.unique(expected)) > 20
    assert program.answer(records).scores.tobytes() == expected.tobytes()
