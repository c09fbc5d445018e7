"""kernels/threads.py: parts that never overlap, and the same outcome for any number of threads."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from engine.bnn.conv import Conv2d
from engine.bnn.dense import Dense
from engine.kernels.bits import pack_signs
from engine.kernels.signed import signed_sums
from engine.kernels.threads import matmul, share, workers
from engine.ports import Spec, words_for


@settings(deadline=None)  # the first call compiles
@given(st.integers(1, 4), st.integers(0, 1000), st.integers(1, 300), st.sampled_from([1, 4, 16]))
def test_every_place_is_done_once(threads, size, least, grain):
    done = np.zeros(size, np.int64)

    def part(begin, end):
        assert begin % grain == 0
        done[begin:end] += 1

    with workers(threads):
        share(part, size, least=least, grain=grain)
    assert (done == 1).all()


def test_a_part_that_fails_is_told():
    def part(begin, end):
        if begin:
            raise ValueError("no")

    with workers(2), pytest.raises(ValueError, match="no"):
        share(part, 100, least=1)


def test_parts_are_done_whether_threads_look_out_or_sleep():
    """Pauses are longer than a thread looks out, and parts are longer than one waits for them so."""
    done = []

    def part(begin, end):
        time.sleep(0.01 if begin else 0.0)
        done.append((begin, end))

    with workers(2):
        for i in range(30):
            share(part, 2, least=1)
            time.sleep(0.003 * (i % 3))
    assert sorted(done) == [(0, 1)] * 30 + [(1, 2)] * 30


def test_after_an_error_threads_work_on():
    def wrong(begin, end):
        raise ValueError(str(begin))

    seen = []
    with workers(3):
        for _ in range(3):
            with pytest.raises(ValueError, match=r"\d"):
                share(wrong, 3, least=1)
            share(lambda begin, end: seen.append(begin), 3, least=1)
    assert sorted(seen) == [0] * 3 + [1] * 3 + [2] * 3


def test_blocks_may_end_out_of_order():
    first, second = workers(2), workers(3)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    seen = []
    share(lambda begin, end: seen.append((begin, end)), 6, least=1)
    assert seen == [(0, 6)]


def test_two_threads_work_and_none_is_left():
    seen = set()
    meet = threading.Barrier(2, timeout=10)

    def part(begin, end):
        meet.wait()
        seen.add(threading.current_thread().name)

    with workers(2):
        share(part, 2, least=1)
    assert len(seen) == 2
    share(lambda begin, end: seen.clear(), 2, least=1)
    assert not seen
    assert not [t for t in threading.enumerate() if t.name.startswith("kernels")]


def test_sums_under_signs_are_the_same_bytes_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    floats = rng.standard_normal((70, 100)).astype(np.float32)
    signs = np.zeros((37, words_for(70)), np.uint64)
    pack_signs(rng.standard_normal((37, 70)).astype(np.float32), signs)
    found = []
    for threads in (1, 2, 3):
        out = np.empty((100, 37), np.float32)
        with workers(threads):
            signed_sums(floats, signs, out)
        found.append(out.tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("bits", ["1", "32"])
def test_a_convolution_learns_the_same_bytes_on_any_number_of_threads(bits):
    spec = Spec("bits", (9, 8, 32), "1", low=-1) if bits == "1" else Spec("real", (9, 8, 32))
    node, n = Conv2d(filters=20, weight_bits=bits), 300
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, *spec.shape)).astype(np.float32)
    if bits == "1":
        words = np.zeros((n, words_for(spec.elements)), np.uint64)
        pack_signs(x.reshape(n, -1), words)
    grad = rng.standard_normal((n, 9, 8, 20)).astype(np.float32)
    found = []
    for threads in (1, 2, 3):
        operator = node.operator(node.start(np.random.default_rng(1), spec), n, spec)
        with workers(threads):
            (y,) = operator.execute(words if bits == "1" else x)
            (back,) = operator.gradient(grad)
        grads = [p.grad.tobytes() for p in operator.parameters()]
        found.append((y.tobytes(), back.tobytes(), *grads))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("arrives", ["1", "32"])
def test_a_dense_layer_learns_the_same_bytes_on_any_number_of_threads(arrives):
    spec = Spec("bits", (700,), "1", low=-1) if arrives == "1" else Spec("real", (700,))
    node, n = Dense(units=300), 200
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 700)).astype(np.float32)
    if arrives == "1":
        words = np.zeros((n, words_for(700)), np.uint64)
        pack_signs(x, words)
    grad = rng.standard_normal((n, 300)).astype(np.float32)
    found = []
    for threads in (1, 2, 3):
        operator = node.operator(node.start(np.random.default_rng(1), spec), n, spec)
        with workers(threads):
            (y,) = operator.execute(words if arrives == "1" else x)
            (back,) = operator.gradient(grad)
        grads = [p.grad.tobytes() for p in operator.parameters()]
        found.append((y.tobytes(), back.tobytes(), *grads))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("shape", [(1, 3, 2), (300, 200, 100), (33, 512, 600), (1024, 128, 300), (0, 3, 4)])
def test_products_on_threads_are_products(shape):
    n, k, m = shape
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((k, n)).astype(np.float32), rng.standard_normal((k, m)).astype(np.float32)
    found = []
    for threads in (1, 2, 3):
        out = np.full((n, m), np.nan, np.float32)
        with workers(threads), threadpool_limits(1):
            matmul(a.T, b, out)
        assert np.allclose(out, a.T.astype(np.float64) @ b, atol=1e-3)
        found.append(out.tobytes())
    assert found[0] == found[1] == found[2]
