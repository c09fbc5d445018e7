"""Batches: every record once, in an order that seed and epoch alone decide."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.batches import batches
from engine.records import Records, no_facts


def records(n: int) -> Records:
    return Records(np.arange(n, dtype=np.float32)[:, None], np.arange(n), no_facts(n))


@settings(deadline=None, max_examples=40)
@given(n=st.integers(0, 100), size=st.integers(1, 33), seed=st.integers(0, 9), epoch=st.integers(0, 9))
def test_every_record_comes_once_with_its_label(n: int, size: int, seed: int, epoch: int) -> None:
    parts = list(batches(records(n), size, seed, epoch))
    assert [len(p) for p in parts] == [size] * (n // size) + ([n % size] if n % size else [])
    labels = [int(label) for p in parts for label in p.labels]
    assert sorted(labels) == list(range(n))
    assert labels == [int(x) for p in parts for x in p.samples[:, 0]]


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return next(batches(records(50), 50, seed, epoch)).labels.tolist()

    assert order(1, 2) == order(1, 2)
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9
