"""MapSigns of runtime/maps.py: packed maps to packed maps have the bytes of the nodes' own predictors."""

import numpy as np
import pytest
from tests_programs import in_a_row, program_of, steps, uncompiled

from engine.catalog import NODES
from engine.kernels.map_signs import trios_of

CASES = {  # shape, convolution, pooling
    "a part a run": ((8, 10, 32), {"filters": 64, "padding": "same", "pad_value": "1"}, {"size": 2}),
    "edges that no window meets": (
        (7, 9, 16),
        {"filters": 64, "padding": "same", "pad_value": "1"},
        {"size": 2},
    ),
    "two parts a run": ((5, 6, 64), {"filters": 128, "padding": "same", "pad_value": "-1"}, None),
    "three parts a run": ((4, 6, 104), {"filters": 64, "padding": "valid"}, {"size": 2}),
    "one part in all": ((6, 9, 8), {"filters": 64, "kernel": 1}, {"size": 3}),
    "far apart": ((9, 9, 24), {"filters": 64, "stride": 2, "padding": "valid", "dilation": 2}, None),
    "many runs": ((8, 6, 8), {"filters": 192, "kernel": 5, "padding": "same", "pad_value": "1"}, {"size": 2}),
}


def made(case, seed):
    n = NODES
    shape, conv, pool = CASES[case]
    rows = [n["bnn.sign"](), n["bnn.conv2d"](**{"kernel": 3, "weight_bits": "1", **conv})]
    rows += [n["bnn.max_pool"](**pool)] if pool else []
    rows += [n["bnn.batch_norm"](), n["bnn.sign"](), n["flow.flatten"]()]
    norm = f"n{len(rows) - 3}"
    program = program_of(in_a_row(shape, *rows, n["bnn.dense"](units=3, weight_bits="1")), seed)
    program.packed[norm]["shift"] *= np.float32(0.1)  # or most signs never turn
    return program


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(2))
def test_that_maps_have_the_bytes_of_their_predictors_in_any_batch(case, seed):
    program = made(case, seed)
    assert steps(program) == ["Compare", "MapSigns", "SignScores"]
    samples = np.random.default_rng(seed).standard_normal((53, *program.source.header.shape))
    records = program.records(samples)
    expected = uncompiled(program, records)
    assert len(np.unique(expected)) > 20
    assert program.answer(records).scores.tobytes() == expected.tobytes()
    for batch in (1, 50):
        runner = program.runner(batch)
        parts = [runner(records.samples[i : i + batch]).copy() for i in range(0, 53, batch)]
        assert np.concatenate(parts).tobytes() == expected.tobytes()


def test_that_three_groups_of_five_are_counted_at_a_time():
    assert [trios_of(inputs) for inputs in (1, 15, 16, 96, 105, 106, 120)] == [1, 1, 2, 7, 7, 8, 8]
