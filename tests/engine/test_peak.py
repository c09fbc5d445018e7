"""kernels/peak.py: the peak kernels really count."""

import numpy as np

from engine.kernels.peak import count_eights, count_words


def test_both_count_every_bit_of_every_pass():
    words = np.random.default_rng(0).integers(0, 2**64, 64, np.uint64)
    expected = sum(int(np.bitwise_count(words ^ np.uint64(p)).sum()) for p in range(3))
    assert count_words(words, 3) == expected
    out = np.zeros(8, np.int32)
    count_eights(words.view(np.uint8), 3, out.view(np.uint8))
    assert -2 * expected == out.sum()
