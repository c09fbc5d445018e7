"""runtime/thresholds.py: what is found says what the function says, at every number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.thresholds import FINITE, find, float_at, packed_bits, unpacked_bits


@given(
    st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=9),
    st.integers(-40, 40),
    st.integers(1, 60),
    st.integers(1, 3),
    st.integers(0, 7),
)
def test_that_thresholds_of_a_scaled_and_rounded_number_are_exact(scales, start, count, step, most):
    scale = np.array(scales, np.float32)
    numbers = range(start, start + count * step, step)

    def levels_of(x):
        return np.clip(np.rint(x.astype(np.float32) * scale), 0, most).astype(np.int64)

    found = find(levels_of, numbers, len(scale))
    every = np.broadcast_to(np.array(numbers)[:, None], (count, len(scale)))
    assert (found.levels(every) == levels_of(every)).all()


def test_that_a_function_that_turns_is_refused():
    assert find(lambda x: (x * x > 30).astype(np.int64), range(-10, 11), 4, bits=True) is None


def test_that_bits_that_never_change_have_thresholds_too():
    found = find(lambda x: np.broadcast_to([0, 1], x.shape), range(-4, 5, 2), 2, bits=True)
    assert found.places.tolist() == [[6, -4]]
    assert found.levels(np.array([[-4, -4], [4, 4]])).tolist() == [[0, 1], [0, 1]]


def test_that_places_among_the_floats_are_in_their_order():
    keys = np.array([FINITE[0], -2, -1, 0, 1, FINITE[-1], FINITE.stop])
    found = float_at(keys)
    largest = np.finfo(np.float32).max
    tiny = np.float32(1.4e-45)
    assert found.tolist() == [-largest, -tiny, 0.0, 0.0, tiny, largest, np.inf]
    assert np.signbit(found[2])


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_that_bits_come_back_from_words(bits):
    words = packed_bits(np.array(bits))
    assert unpacked_bits(words[None], len(bits))[0].tolist() == [int(b) for b in bits]
