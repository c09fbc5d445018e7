"""Float layers that packed signs enter: kernels/sign_sums.py and runtime/sign_floats.py, to the bit."""

import numpy as np
import pytest
from tests_programs import in_a_row, program_of, steps, uncompiled

from engine.catalog import NODES
from engine.kernels.bits import unpack_signs
from engine.kernels.floats import dot_floats, over_largest, scale_shift
from engine.kernels.sign_sums import by_lanes, by_sides, sign_table, sums_of_many, sums_of_one
from engine.kernels.vectors import COMPILED

compiled = pytest.mark.skipif(not COMPILED, reason="vectors are compiled")


@compiled
@pytest.mark.parametrize(("n", "k", "m"), [(1, 64, 10), (17, 70, 3), (40, 130, 17), (16, 5, 24)])
def test_that_sums_under_signs_have_the_bits_of_the_plain_product(n, k, m):
    rng = np.random.default_rng(n)
    words = rng.integers(0, 2**63, (n, -(-k // 64)), dtype=np.uint64)
    values_t = rng.standard_normal((k, m)).astype(np.float32)
    values_t[0], values_t[1] = 0.0, -0.0
    affine = rng.standard_normal((2, 2, m)).astype(np.float32)
    signs, plain = np.empty((n, k), np.float32), np.empty((n, m), np.float32)
    unpack_signs(words, signs)
    dot_floats(signs, values_t, plain)
    for scale, shift in affine:
        scale_shift(plain, scale, shift, plain)
    one, many = np.empty((2, n, m), np.float32)
    both, sums = np.array([-1, 1], np.float32), np.empty(48, np.float32)
    sums_of_one(words, k, by_lanes(values_t), both, affine, sums, one)
    room = np.empty(1024 + 16 * 5 * -(-m // 5), np.float32)
    sums_of_many(words, k, by_sides(values_t), sign_table(), affine, room, many)
    assert one.tobytes() == plain.tobytes()
    assert many.tobytes() == plain.tobytes()


def made(units, *after, weight_bits="32"):
    n = NODES
    first = (
        n["bnn.sign"](),
        n["bnn.dense"](units=130, weight_bits="1"),
        n["bnn.batch_norm"](),
        n["bnn.sign"](),
    )
    return program_of(
        in_a_row((70,), *first, n["bnn.dense"](units=units, weight_bits=weight_bits), *after), units
    )


@compiled
@pytest.mark.parametrize("units", [3, 10, 24])
@pytest.mark.parametrize("norms", [0, 1, 2])
def test_that_the_last_layer_and_its_norms_are_one_step(units, norms):
    last = [NODES["bnn.dense"](units=3, weight_bits="32")] if units != 3 else []
    program = made(units, *[NODES["bnn.batch_norm"]()] * norms, *last)
    assert steps(program)[:3] == ["Compare", "Stack", "SignFloats"]
    assert len(steps(program)) == 3 + len(last)
    records = program.records(np.random.default_rng(units).standard_normal((45, 70)))
    expected = uncompiled(program, records)
    assert program.answer(records).scores.tobytes() == expected.tobytes()
    for batch in (1, 5, 9, 23):
        runner = program.runner(batch)
        parts = [runner(records.samples[i : i + batch]).copy() for i in range(0, 45, batch)]
        assert np.concatenate(parts).tobytes() == expected.tobytes()


@compiled
def test_that_scores_are_asked_whether_they_are_numbers_only_where_they_may_not_be():
    program = made(3, NODES["bnn.batch_norm"]())
    assert program.compiled(program.ends, "float32").finite
    program = made(3, NODES["bnn.batch_norm"]())
    program.packed["n5"]["scale"][0] = 3e38
    assert not program.compiled(program.ends, "float32").finite


def test_that_layers_of_many_outputs_are_multiplied_as_before():
    assert "SignFloats" not in steps(made(25, NODES["bnn.dense"](units=3)))


def test_that_rows_over_their_largest_are_those_of_numpy():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 37)).astype(np.float32)
    x[1], x[2, 3], x[3, 4], x[4, :5] = 0, np.nan, -np.inf, -0.0
    with np.errstate(invalid="ignore"):
        largest = np.abs(x).max(1, keepdims=True)
        plain = np.divide(x, largest, out=np.zeros_like(x), where=largest > 0)
    found = np.empty_like(x)
    over_largest(x, found)
    np.testing.assert_array_equal(found, plain)
    assert np.signbit(found[4, 0])
