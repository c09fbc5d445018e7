"""train/watch.py: shares of flips and of dead channels, counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.dataset import open_data
from engine.kernels.bits import pack_signs
from engine.ports import Spec, words_for
from engine.train.plan import Plan
from engine.train.watch import Watch, _dead_signs


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 20), places=st.integers(1, 9), channels=st.integers(1, 70), seed=st.integers(0, 99))
def test_dead_channels_of_packed_signs_are_those_of_one_sign(n, places, channels, seed):
    rng = np.random.default_rng(seed)
    floats = rng.standard_normal((n, places, channels)).astype(np.float32)
    floats[:, :, rng.random(channels) < 0.3] = rng.choice([-1.0, 1.0])
    words = np.zeros((n, words_for(places * channels)), np.uint64)
    pack_signs(floats.reshape(n, -1), words)
    ones = (floats >= 0).reshape(-1, channels)
    want = float((ones.all(0) | ~ones.any(0)).mean())
    assert _dead_signs(words, Spec("bits", (places, channels), "1", low=-1)) == pytest.approx(want)


def test_flips_are_counted_in_the_step_and_over_the_epoch(binary_project):
    rng = np.random.default_rng(0)
    graph = binary_project.graph
    weights = {n: graph.node(n).start(rng, *graph.input_specs(n)) for n in graph.order}
    plan = Plan(graph, weights, 8)
    batch = open_data(graph, binary_project.folder).train.take(slice(0, 8))
    watch = Watch(plan, graph)
    latent = weights["hidden"]["weight"].reshape(-1)
    for step in range(3):
        watch.mark()
        plan.backward(np.ones_like(plan.forward(batch)))
        latent[100 * step : 100 * step + 100] *= -1
        told = watch.step()
        assert told["hidden: flipped"] == pytest.approx(100 / latent.size)
        assert told["head: flipped"] == 0
    assert watch.epoch()["hidden: flipped"] == pytest.approx(300 / latent.size)
    latent[:150] *= -1
    assert watch.epoch()["hidden: flipped"] == pytest.approx(150 / latent.size)
    weights["head"]["weight"][0] = 1.0
    assert watch.epoch()["head: at limit"] == pytest.approx(1 / 3)
    grads = [p.grad for k, p in plan.parameters().items() if k.startswith("norm/")]
    length = np.sqrt(sum(float(np.square(g).sum()) for g in grads))
    assert watch.step()["norm: gradient"] == pytest.approx(length, rel=1e-5)
