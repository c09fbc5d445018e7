"""runtime/maps.py: float convolutions straight to signs give the bytes of the nodes' own predictors."""

import numpy as np
import pytest
from tests_programs import in_a_row, program_of, steps, uncompiled

from engine.catalog import NODES
from engine.kernels.vectors import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="vectors are compiled")

CASES = {
    "pooled": ({"filters": 32}, {"size": 2}),
    "in odd windows": ({"filters": 64, "padding": "valid", "bias": True}, {"size": 3}),
    "alone": ({"filters": 96, "stride": 2, "bias": True}, None),
    "of several channels": ({"filters": 32, "kernel": 2, "dilation": 2}, {"size": 2}),
}


def made(shape, conv, pool, seed=0):
    n = NODES
    conv = {"kernel": 3, "weight_bits": "32", "bias": False, **conv}
    rows = [n["bnn.conv2d"](**conv)]
    rows += [n["bnn.max_pool"](**pool)] if pool else []
    rows += [n["bnn.batch_norm"](), n["bnn.sign"](), n["flow.flatten"]()]
    return program_of(in_a_row(shape, *rows, n["bnn.dense"](units=3, weight_bits="1")), seed)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_that_a_convolution_to_signs_has_the_bytes_of_its_predictors(case, seed):
    conv, pool = CASES[case]
    program = made((9, 11, 3) if "channels" in case else (9, 11), conv, pool, seed)
    assert steps(program)[0] == "FloatSigns"
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((21, *program.source.header.shape)).astype(np.float32) * 9
    samples[rng.random(samples.shape) < 0.3] = 0
    samples[1], samples[::2, :5], samples[::3, :, 6:] = 0, 0, -0.0  # an empty one, and empty windows
    records = program.records(samples)
    expected = uncompiled(program, records)
    assert program.answer(records).scores.tobytes() == expected.tobytes()
    runner = program.runner(1)
    assert np.concatenate([runner(x[None]).copy() for x in samples]).tobytes() == expected.tobytes()


def test_that_channels_that_fall_and_those_that_never_turn_are_told_apart():
    program = made((8, 8), {"filters": 32, "bias": True}, {"size": 2})
    norm = program.packed["n2"]
    norm["scale"][:8] = 0
    norm["scale"][8:16] = -np.abs(norm["scale"][8:16]) - 1
    norm["shift"][:4], norm["shift"][4:8] = -1, 1
    records = program.records(np.random.default_rng(0).standard_normal((30, 8, 8)))
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


@pytest.mark.parametrize("odd", [1e37, -3e38, np.inf, np.nan])
def test_that_samples_whose_sums_might_overflow_are_summed_as_before(odd):
    program = made((8, 8), {"filters": 32}, {"size": 2})
    samples = np.random.default_rng(0).standard_normal((30, 8, 8)).astype(np.float32)
    samples[7, 2, 3] = odd
    records = program.records(samples)
    assert program.answer(records).scores.tobytes() == uncompiled(program, records).tobytes()


def test_that_outputs_which_fill_no_vectors_are_compared_apart():
    program = made((8, 8), {"filters": 33}, {"size": 2})
    assert "FloatSigns" not in steps(program)
