"""kernels/jit.py: where machine code is kept, and the two intrinsics against Python."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.jit import lowest_bit, popcount

ROOT = Path(__file__).parents[2]
SAY = "import numba, engine.kernels.jit; print(numba.config.CACHE_DIR)"


def folder_with(cache):
    environment = {**os.environ, "POLYBIT_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip())


def test_machine_code_is_kept_by_the_content_of_the_room(tmp_path):
    first, again = folder_with(tmp_path), folder_with(tmp_path)
    assert first == again
    assert first.parent == tmp_path
    assert first.name.startswith("kernels-")


def test_a_locked_home_gets_a_folder_of_its_own(tmp_path):
    (tmp_path / "file").write_text("in the way")
    found = folder_with(tmp_path / "file")
    assert found.is_dir()
    assert found.stat().st_mode & 0o077 == 0
    found.rmdir()


@numba.njit
def _both(words, out):
    for i in range(words.size):
        out[i, 0] = popcount(words[i])
        out[i, 1] = lowest_bit(words[i])


@settings(deadline=None)
@given(st.lists(st.integers(1, 2**64 - 1), min_size=1, max_size=50))
def test_the_intrinsics_count_bits(words):
    out = np.empty((len(words), 2), np.int64)
    _both(np.array(words, np.uint64), out)
    assert out[:, 0].tolist() == [w.bit_count() for w in words]
    assert out[:, 1].tolist() == [(w & -w).bit_length() - 1 for w in words]
