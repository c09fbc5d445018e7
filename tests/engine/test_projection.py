"""The projection encoder as a node, on real, packed and levelled inputs."""

import numpy as np
import pytest

from engine.hdc.codes import signs_of
from engine.hdc.projection import ProjectionEncoder
from engine.kernels.bits import pack_signs
from engine.ports import Spec

REAL = Spec("real", (70,))


def packed(x):
    out = np.empty((len(x), 2), np.uint64)
    pack_signs(x, out)
    return out


def made(node, spec, x):
    weights = node.fit(node.start(np.random.default_rng(0), spec), x)
    ready = node.pack(weights, spec)
    return ready, node.predictor(ready, spec)


@pytest.mark.parametrize("centre", [True, False])
def test_codes_are_the_signs_of_the_projection(centre):
    x = np.random.default_rng(1).normal(2, 1, (20, 70)).astype(np.float32)
    ready, encode = made(ProjectionEncoder(dimension=500, centre=centre), REAL, x)
    sums = (x - ready["mean"]).astype(np.float64) @ signs_of(ready["signs"], 70).T.astype(np.float64)
    clear = np.abs(sums) > 1e-4
    got = signs_of(encode(x)[0], 500)
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(got[clear], np.sign(sums)[clear])


@pytest.mark.parametrize("centre", [True, False])
def test_packed_signs_give_the_code_of_the_same_numbers(centre):
    rng = np.random.default_rng(2)
    x = np.where(rng.random((40, 70)) < 0.7, np.float32(1), np.float32(-1))
    node = ProjectionEncoder(dimension=300, centre=centre)
    ready, encode = made(node, Spec("bits", (70,), "1", low=-1), packed(x))
    by_floats = node.predictor(ready, REAL)(x)[0]
    sums = (x - ready["mean"]).astype(np.float64) @ signs_of(ready["signs"], 70).T
    clear = np.abs(sums) > 1e-4
    got, other = signs_of(encode(packed(x))[0], 300), signs_of(by_floats, 300)
    np.testing.assert_array_equal(got[clear], other[clear])
    np.testing.assert_array_equal(got[clear], np.sign(sums)[clear])


def test_levels_count_by_their_step():
    levels = np.random.default_rng(3).integers(0, 4, (12, 70)).astype(np.int16)
    node = ProjectionEncoder(dimension=200, centre=False)
    ready, encode = made(node, Spec("bits", (70,), "2", step=0.5), levels)
    by_floats = node.predictor(ready, REAL)(levels.astype(np.float32) * np.float32(0.5))[0]
    assert encode(levels)[0].tobytes() == by_floats.tobytes()


@pytest.mark.parametrize("kind", ["real", "bits"])
def test_a_record_has_the_same_code_alone_as_in_a_batch(kind):
    x = np.random.default_rng(4).normal(1, 1, (11, 70)).astype(np.float32)
    given, spec = (x, REAL) if kind == "real" else (packed(x), Spec("bits", (70,), "1", low=-1))
    _, encode = made(ProjectionEncoder(dimension=333), spec, given)
    together = encode(given)[0]
    assert np.concatenate([encode(row[None])[0] for row in given]).tobytes() == together.tobytes()


def test_centring_makes_positive_records_unlike():
    x = np.random.default_rng(5).random((30, 70)).astype(np.float32)
    shares = []
    for centre in (True, False):
        _, encode = made(ProjectionEncoder(centre=centre), REAL, x)
        codes = signs_of(encode(x)[0], 8192)
        shares.append(abs(codes.mean(0)).mean())
    assert shares[0] < 0.3 < shares[1]


def test_the_counted_storage_is_the_storage():
    node = ProjectionEncoder(dimension=100)
    ready = node.pack(node.start(np.random.default_rng(0), REAL), REAL)
    assert node.cost(REAL).weight_bits == 8 * sum(a.nbytes for a in ready.values())
