"""runtime/chains.py: signs after a pooling are those of thresholds before it."""

import numpy as np
import pytest

from engine.fusion import LargestOf
from engine.graph import Wire
from engine.runtime.chains import Chain, signs_of
from engine.runtime.thresholds import packed_bits, unpacked_bits

MEMBERS = np.array([[0, 2], [1, 3], [4, 6], [5, 7]])  # windows of two places, two channels


def chain_of(scale, after):
    """Two channels that rise or fall before a pooling of pairs, and rise or fall after it."""
    pool = LargestOf(lambda x: x[:, MEMBERS].max(2), MEMBERS, lambda words: words)

    def packed(x):
        return np.stack([packed_bits(row >= 0) for row in x])

    functions = (lambda s: s * np.tile(scale, 4), pool.function, lambda x: x * np.tile(after, 2) + 3, packed)
    return Chain(("a", "b"), functions, Wire("a", "out", "", ""), "a", pool=pool, before=1)


@pytest.mark.parametrize("first", [1, -1, 0])
@pytest.mark.parametrize("second", [1, -1, 0])
def test_that_thresholds_and_windows_say_what_the_chain_says(first, second):
    scale, after = np.array([2.0 * first, 3.0]), np.array([1.0, 1.0 * second])
    chain = chain_of(scale, after)
    found = signs_of(chain, (8,), range(-9, 10), lambda numbers: numbers)
    numbers = np.random.default_rng(0).integers(-9, 10, (200, 8))
    before = (numbers >= found.places) ^ found.falls
    assert (unpacked_bits(chain.run(numbers), 4) == (before[:, MEMBERS].any(2) ^ found.turned)).all()


def test_that_windows_which_are_not_alike_have_no_thresholds():
    chain = chain_of(np.ones(2), np.ones(2))
    uneven = (lambda s: s * np.arange(1, 9), *chain.functions[1:])
    other = Chain(chain.names, uneven, chain.wire, "a", pool=chain.pool, before=1)
    assert signs_of(other, (8,), range(-9, 10), lambda numbers: numbers) is None
