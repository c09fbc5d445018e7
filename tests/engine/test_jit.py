"""kernels/jit.py: where machine code is kept, and the two intrinsics against Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.jit import _imported, lowest_bit, popcount

ROOT = Path(__file__).parents[2]
SAY = """
from engine.kernels.{file} import {name} as kernel
from engine.kernels.jit import cache_folder, stamp
print(cache_folder(stamp(__import__("pathlib").Path(kernel.__code__.co_filename))))
print(getattr(kernel, "stats", None) and kernel.stats.cache_path)
"""
SPIKE, BITS, COUNTERS = ("spike", "draw_spikes"), ("bits", "pack_signs"), ("counters", "retrain")


def folder_with(cache, kernel=BITS, root=ROOT):
    environment = {**os.environ, "POLYBIT_CACHE": str(cache), "PYTHONPATH": str(root)}
    say = SAY.format(file=kernel[0], name=kernel[1])
    done = subprocess.run(
        [sys.executable, "-c", say], env=environment, capture_output=True, text=True, check=True, cwd=root
    )
    folder, used = done.stdout.split()
    if used != "None":  # with the JIT off nothing is cached
        assert Path(used).parent == Path(folder)
    return Path(folder)


def test_machine_code_is_kept_by_the_content_of_the_files_it_stands_on(tmp_path):
    first, again = folder_with(tmp_path), folder_with(tmp_path)
    assert first == again
    assert first.parent == tmp_path
    assert first.name.startswith("kernels-")


def test_an_edit_recompiles_what_stands_on_the_file_and_nothing_else(tmp_path):
    for folder in ("engine", "engine/kernels"):
        (tmp_path / folder).mkdir()
        for file in (ROOT / folder).glob("*.py"):
            shutil.copy(file, tmp_path / folder)
    kernels = (BITS, COUNTERS, SPIKE)
    before = [folder_with(tmp_path / "cache", k, tmp_path) for k in kernels]
    with (tmp_path / "engine/kernels/bits.py").open("a") as file:
        file.write("# edited\n")
    after = [folder_with(tmp_path / "cache", k, tmp_path) for k in kernels]
    assert [a != b for a, b in zip(before, after, strict=True)] == [True, True, False]
    with (tmp_path / "engine/kernels/jit.py").open("a") as file:
        file.write("# edited\n")
    last = folder_with(tmp_path / "cache", SPIKE, tmp_path)
    assert last != after[2]


def test_a_kernel_of_another_room_stands_on_the_files_it_names(tmp_path):
    outside = tmp_path / "node.py"
    outside.write_text("from ..kernels.counters import retrain\nfrom .levels import x\n")
    lone = tmp_path / "lone.py"
    lone.write_text("from .levels import x\n")
    assert _imported(outside) == {"counters"}
    assert _imported(lone) == frozenset()
    assert _imported(ROOT / "engine/kernels/counters.py") == {"bits", "jit"}


def test_a_locked_home_gets_a_folder_of_its_own(tmp_path):
    (tmp_path / "file").write_text("in the way")
    found = folder_with(tmp_path / "file")
    assert found.is_dir()
    assert found.stat().st_mode & 0o077 == 0
    shutil.rmtree(found)


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


def test_kernels_run_where_scipy_is_kept_out():
    code = """
import sys
import numpy as np
from engine.kernels.bits import pack_signs
from engine.kernels.jit import spare_scipy
spare_scipy()
words = np.zeros((1, 1), np.uint64)
pack_signs(np.array([[1, -1, 1]], np.float32), words)
print(int(words[0, 0]), sys.modules["scipy.linalg"])
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["5", "None"]
