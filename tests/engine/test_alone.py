"""runtime/alone.py and kernels/alone.py: one record in one call gives the label that it gets among others."""

import threading

import numpy as np
import pytest
from tests_programs import in_a_row, program_of, uncompiled

from engine.catalog import NODES as N
from engine.errors import DataError
from engine.kernels.vectors import AVX2, COMPILED
from engine.runtime import alone, stack
from engine.runtime import maps as runtime_maps

SHAPE = (9, 9)
SIGN, EIGHT = N["bnn.sign"](), N["bnn.quantize"](bits="8")


def binary(*first, sizes=(70, 300, 64)):
    """A stack of 1-bit layers behind `first`, and its scores."""
    rows = [*first, N["flow.flatten"]()]
    for units in sizes:
        rows += [N["bnn.dense"](units=units, weight_bits="1"), N["bnn.batch_norm"](), SIGN]
    return in_a_row(SHAPE, *rows, N["bnn.dense"](units=3, weight_bits="1"))


def maps(*first, last="32", filters=64):
    """Convolutions behind `first`: of floats, then of bits with and without a pooling; then a layer."""
    own = {"kernel": 3, "bias": False, "padding": "same", "pad_value": "1"}
    norm, pool = N["bnn.batch_norm"](), N["bnn.max_pool"](size=2)
    rows = [*first, N["bnn.conv2d"](filters=32, weight_bits="32", **own), pool, norm, SIGN]
    rows += [N["bnn.conv2d"](filters=64, weight_bits="1", **own), pool, norm, SIGN]
    rows += [N["bnn.conv2d"](filters=filters, weight_bits="1", **own), norm, SIGN, N["flow.flatten"]()]
    return in_a_row((12, 12), *rows, N["bnn.dense"](units=3, weight_bits=last), norm)


def made(graph, seed):
    """A program whose signs and scores hang on the record, not on its norms alone."""
    program = program_of(graph, seed)
    for arrays in program.packed.values():
        for key in {"shift", "bias"} & set(arrays):
            arrays[key] *= np.float32(0.02)
    return program


def drawn(dtype, n=40, shape=SHAPE):
    """Records of which some are mostly 0."""
    rng = np.random.default_rng(5)
    numbers = rng.integers(0, 256, (n, *shape)) * (rng.random((n, *shape)) < rng.random((n, 1, 1)))
    return numbers.astype(np.uint8) if dtype == "uint8" else (numbers / 40 - 3).astype(np.float32)


def is_ready(program):
    return program._kept.label is not None


def check(program, samples, *, ready=True):
    """Ask for one record at a time, compare with plain arrays of all; return how many labels came."""
    expected = uncompiled(program, program.records(samples)).argmax(1)
    for i in range(len(samples)):
        label = program.predict(samples[i : i + 1])
        assert (label.shape, label.dtype) == ((1,), np.int64)
        assert label[0] == expected[i]
    assert is_ready(program) == ready
    return len(np.unique(expected))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("sizes", [(70, 300, 64), (5,), (256, 1)])
def test_that_a_stack_of_signs_says_the_same(dtype, sizes):
    norm = (N["bnn.batch_norm"](),) if dtype == "float32" else (N["flow.standardise"](method="range_all"),)
    programs = [made(binary(*norm, SIGN, sizes=sizes), seed) for seed in range(4)]
    assert max(check(program, drawn(dtype)) for program in programs) > 1


@pytest.mark.parametrize("own", [True, False])
def test_that_bytes_say_the_same(own):
    scaled = N["flow.standardise"](method="range_all")
    program = made(binary(scaled, EIGHT), 1)
    mean, largest = (0, 255) if own else (3, 300)  # own: each byte is its own level
    program.packed["n0"] = {
        "mean": np.full(1, mean, np.float32),
        "scale": np.full(1, 1 / largest, np.float32),
    }
    assert check(program, drawn("uint8"), ready=AVX2) > 1


@pytest.mark.parametrize("key", ["plain", "wide"])
def test_that_every_kernel_of_stacks_says_the_same(key, monkeypatch):
    for room in (alone, stack):
        monkeypatch.setattr(room, "kernel_for", lambda rows: key)
    assert check(made(binary(SIGN), 2), drawn("float32")) > 1


@pytest.mark.skipif(not COMPILED, reason="vectors are compiled")
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize(("last", "filters"), [("32", 64), ("1", 128)])
def test_that_maps_say_the_same(dtype, last, filters):
    first = [N["flow.standardise"](method="range_all")] if dtype == "uint8" else []
    programs = [made(maps(*first, last=last, filters=filters), seed) for seed in range(2)]
    for program in programs:
        if first:
            program.packed["n0"] = {"mean": np.zeros(1, np.float32), "scale": np.full(1, 1 / 255, np.float32)}
    assert max(check(program, drawn(dtype, shape=(12, 12))) for program in programs) > 1


@pytest.mark.skipif(not COMPILED, reason="vectors are compiled")
def test_that_layers_whose_tables_are_too_large_build_them(monkeypatch):
    kept = made(maps(last="1"), 1)
    assert check(kept, drawn("float32", shape=(12, 12))) > 1
    monkeypatch.setattr(runtime_maps, "_MOST_DIGITS", 0)
    program = made(maps(last="1"), 1)
    assert check(program, drawn("float32", shape=(12, 12))) > 1
    sizes = [p.compiled(p.ends, "float32").alone.store.nbytes for p in (program, kept)]
    assert sizes[0] < sizes[1] / 2


@pytest.mark.skipif(not COMPILED, reason="vectors are compiled")
def test_that_a_record_past_the_bound_of_its_sums_is_summed_otherwise():
    program = made(maps(), 1)
    samples = drawn("float32", 3, (12, 12))
    program.predict(samples[:1])
    for value in 3e38, -3e38, np.nan:
        samples[1, 5, 5] = value
        assert is_ready(program)
        expected = uncompiled(program, program.records(samples[1:2])).argmax(1)
        assert program.predict(samples[1:2]).tolist() == expected.tolist()


def test_that_a_program_with_another_step_runs_step_by_step():
    program = made(binary(N["bnn.quantize"](bits="4")), 0)
    assert check(program, drawn("float32"), ready=False) > 1


def test_that_what_is_not_one_record_takes_the_other_way():
    program = made(binary(SIGN), 0)
    samples = drawn("float32")
    one = samples[:1]
    expected = program.predict(one).tolist()
    assert is_ready(program)
    with pytest.raises(DataError, match=r"shape \(9, 9\)"):
        program.predict(one.reshape(1, 81))
    assert program.predict(samples).tolist() == program.predict(samples, threads=2).tolist()
    frozen = one.copy()
    frozen.flags.writeable = False
    turned = np.asfortranarray(one)
    for same in frozen, turned, one.astype(np.float64), one.astype(">f4"):
        assert program.predict(same).tolist() == expected
    # Bytes and floats in turn: each its own way.
    low = drawn("uint8")[:1]
    for _ in range(2):
        assert program.predict(low).tolist() == program.predict(low.astype(np.float32)).tolist()


def test_that_what_is_not_finite_is_answered_as_without_compiling():
    program = made(binary(SIGN), 0)
    program.predict(drawn("float32")[:1])
    for value in np.inf, -np.inf, np.nan:
        samples = drawn("float32")[1:2]
        samples[0, 4, 4] = value
        assert is_ready(program)
        expected = uncompiled(program, program.records(samples)).argmax(1)
        assert program.predict(samples).tolist() == expected.tolist()


def test_that_scores_which_are_not_numbers_get_a_sentence():
    program = made(binary(SIGN), 0)
    program.packed["n11"]["bias"][1] = np.inf
    for _ in range(2):
        with pytest.raises(DataError, match="not finite"):
            program.predict(drawn("float32")[:1])


def test_that_threads_do_not_share_what_they_work_in():
    program = made(binary(SIGN, sizes=(600, 600)), 3)
    samples = drawn("float32", 200)
    expected, wrong = program.predict(samples), []

    def ask(part):
        for _ in range(20):
            wrong.extend(i for i in part if program.predict(samples[i : i + 1])[0] != expected[i])

    threads = [threading.Thread(target=ask, args=(range(k, 200, 4),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
