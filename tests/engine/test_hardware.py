"""hardware.py: what was measured is kept, checked and explained, on other processors too."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import hardware
from engine.hardware import (
    Choice,
    choose,
    host,
    kernel_title,
    profile,
    sign_weights,
    whole_family,
)
from engine.kernels import cpu
from engine.kernels.families import FAMILIES
from engine.kernels.quad_lanes import VNNI
from engine.kernels.signs import PLAIN, SIGN_KERNELS
from engine.kernels.vectors import AVX2
from engine.kernels.whole import WholeWeights

ROOT = Path(__file__).parents[2]
compiled = pytest.mark.skipif(not cpu.compiled(), reason="kernels are plain Python")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Give a folder of its own to what is measured, and forget what was."""
    monkeypatch.setattr(hardware, "cache_folder", lambda _: tmp_path)
    hardware._profile.cache_clear()
    yield tmp_path / "hardware-signs.json"
    hardware._profile.cache_clear()


def test_the_host_has_a_name_and_a_core():
    assert host().name
    assert host().cpu
    assert host().cores >= 1
    assert list(host().caches) == sorted(host().caches)


@compiled
def test_every_choice_is_a_kernel_that_was_right(kept):
    choices = profile()
    assert [choice.rows for choice in choices if choice.family == "signs"] == [1, 4, 64]
    assert {choice.family for choice in choices} == set(FAMILIES)
    for choice in choices:
        assert choice.kernel in choice.speeds
        assert kernel_title(choice.kernel) == choice.kernel_title
        assert choice.kernel_title in choice.why
    assert choose("signs", 100).rows == 64
    assert choose("signs", 0).rows == 1
    assert choose(whole_family(5), 70).family == "whole-8"


@compiled
def test_what_was_measured_is_read_again_and_nothing_foreign_or_damaged(kept):
    first = hardware._choices("signs")
    told = json.loads(kept.read_text())
    told["choices"][0]["kernel_title"] = "as kept"
    kept.write_text(json.dumps(told))
    hardware._profile.cache_clear()
    assert choose("signs").kernel_title == "as kept"
    foreign = {**told, "host": ["another", *told["host"][1:]]}
    short = {**told, "choices": told["choices"][1:]}
    unknown = {**told, "choices": [{**told["choices"][0], "kernel": "x"}, *told["choices"][1:]]}
    for text in ("", "{", "[]", "null", *map(json.dumps, (foreign, short, unknown))):
        kept.write_text(text)
        hardware._profile.cache_clear()
        assert choose("signs").kernel_title == first[0].kernel_title


@compiled
def test_what_was_kept_is_forgotten_when_it_is_measured_again(kept, monkeypatch):
    monkeypatch.setattr(hardware, "FAMILIES", {"signs": hardware.FAMILIES["signs"]})
    first = hardware.profile()
    told = json.loads(kept.read_text())
    told["choices"][0]["kernel_title"] = "as kept"
    kept.write_text(json.dumps(told))
    hardware._profile.cache_clear()
    assert choose("signs").kernel_title == "as kept"
    again = hardware.measure_again()
    assert [(c.family, c.rows) for c in again] == [(c.family, c.rows) for c in first]
    assert "as kept" not in kept.read_text()


@compiled
def test_a_kernel_that_is_wrong_is_never_chosen(kept, monkeypatch):
    plain = SIGN_KERNELS[PLAIN]

    def wrong(a, inputs, layout, out):
        out[...] = 1

    monkeypatch.setitem(SIGN_KERNELS, "shuffle", type(plain)("at once", plain.lay, wrong))
    monkeypatch.setattr(WholeWeights, "_dot_quads", lambda weights, x, seen, out: out.fill(1))
    hardware._sign_plan.cache_clear()
    try:
        assert all("shuffle" not in choice.speeds for choice in profile() if choice.family == "signs")
        assert all("bytes" not in choice.speeds for choice in profile())
        hardware.bytes_are_right.cache_clear()
        assert hardware.bytes_are_right() != (VNNI or AVX2)
    finally:
        hardware._sign_plan.cache_clear()
        hardware.bytes_are_right.cache_clear()


@compiled
def test_a_kernel_is_checked_with_rows_that_fill_its_sums(kept, monkeypatch):
    """A kernel that is right for rows of 4 bits alone is not right."""
    dot = WholeWeights._dot_quads

    def nearly(weights, x, seen, out):
        dot(weights, x, seen, out)
        out[...] = out.clip(-30_000, 30_000)

    monkeypatch.setattr(WholeWeights, "_dot_quads", nearly)
    assert all("bytes" not in choice.speeds for choice in hardware._choices("whole-4"))


def test_only_what_is_clearly_faster_in_most_turns_replaces_the_usual_kernel():
    usual = np.array([1.0, 1.1, 9.0, 1.0, 1.2])  # others were on the machine in its third turn
    assert hardware._clearly_fastest({"usual": usual, "other": usual * 0.95}, "usual") == "usual"
    assert hardware._clearly_fastest({"usual": usual, "other": usual * 0.8}, "usual") == "other"
    lucky = usual * [1.2, 1.2, 0.01, 0.3, 1.2]
    assert hardware._clearly_fastest({"usual": usual, "other": lucky}, "usual") == "usual"
    assert hardware._clearly_fastest({"other": usual, "third": usual * 0.5}, "usual") == "third"
    assert hardware._clearly_fastest({"other": usual}, "usual") == "other"


def test_the_kernel_that_serves_is_asked_first_and_then_the_fastest():
    speeds = {"tables": 3.0, "pairs": 1.0, "bytes": 3.2}
    assert hardware._ranked(Choice("whole-2", "x", 1, "tables", "y", speeds)) == ("tables", "bytes", "pairs")


def test_the_reason_is_in_words():
    speeds = {PLAIN: 1e9, "lookup": 3.14e9}
    said = Choice("signs", "Products", 4, "lookup", "tables", speeds).why
    assert said == "tables, 3.1 times as fast as the plain kernel here"
    assert (
        Choice("signs", "Products", 4, PLAIN, "counts", {PLAIN: 2.0}).why == "counts, which runs everywhere"
    )
    said = Choice("signs", "Products", 4, PLAIN, "counts", {PLAIN: 2.0, "lookup": 1.0}).why
    assert said == "counts, the fastest here"
    said = Choice("signs", "Products", 4, PLAIN, "counts", {PLAIN: 2.0, "lookup": 2.1}).why
    assert said == "counts, as no other is clearly faster here"
    assert Choice("signs", "Products", 4, PLAIN, "counts", {}).why == "counts, which runs everywhere"


def test_weights_made_ready_multiply():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2**64, (n, 2), np.uint64) for n in (70, 5))
    expected = 128 - 2 * np.bitwise_count(a[:, None] ^ b[None]).sum(axis=2, dtype=np.int32)
    assert (sign_weights(b, 128).dot(a) == expected).all()


def test_a_named_processor_has_the_features_that_its_name_implies():
    assert "avx2" in cpu.asked("znver3", "")
    assert "avx512vpopcntdq" in cpu.asked("znver4", "+fma")
    assert "avx2" not in cpu.asked("haswell", "-avx2,+fma")
    assert cpu.asked("generic", "") == frozenset()
    assert "avx512vnni" not in cpu.asked("skylake-avx512", "")


@pytest.mark.parametrize("name", ["generic", "haswell"])
def test_every_kernel_gives_the_same_under_another_processors_name(name, tmp_path):
    if name == "haswell" and "avx2" not in cpu.features():
        pytest.skip("this host has no AVX2")
    environment = {**os.environ, "NUMBA_CPU_NAME": name, "POLYBIT_CACHE": str(tmp_path)}
    environment.pop("NUMBA_CPU_FEATURES", None)
    if name == "haswell":
        environment["NUMBA_CPU_FEATURES"] = "+avx2,+bmi,+bmi2,+fma,+popcnt,+lzcnt"
    done = subprocess.run(
        [sys.executable, "-m", "engine", "hardware", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    told = json.loads(done.stdout)
    assert told["host"]["cpu"] == name
    measured = {key for choice in told["choices"] for key in choice["speeds"]}
    if not cpu.compiled():
        return
    # Whatever was measured gave NumPy's answers, and whatever is wrong is not measured.
    everywhere = {PLAIN, "lookup", "pairs", "tables", "planes", "blas"}
    assert measured == (everywhere if name == "generic" else everywhere | {"shuffle", "bytes", "sums"})


_COMPILE = """
from numba import types
from engine.kernels import bfloats, pairs, quads, wide
u8, u64, i = types.Array(types.uint8, 1, "C"), types.Array(types.uint64, 2, "C"), types.int64
asked = (
    (wide._four_rows, (u64, i, i, u8, i, u8, i, i)),
    (pairs._four_rows, (u8, i, i, i, u8, u8, i, i)),
    (quads._tile, (u8, i, i, u8, i, u8)),
    (bfloats._tile, (u8, i, i, u8, u8)),
)
for kernel, kinds in asked:
    kernel.compile(kinds)
    print(" ".join(next(iter(kernel.inspect_asm().values())).split()))
"""


X86 = platform.machine().lower() in ("x86_64", "amd64")


def compiled_for(name, features, tmp_path):
    """Return the machine code of the kernels of `_COMPILE`, one after another, for a named processor."""
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
        "POLYBIT_CACHE": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout.splitlines()


@compiled
@pytest.mark.skipif(not X86, reason="AVX-512 is of x86")
def test_hosts_with_avx_512_get_its_counts_and_its_joined_products(tmp_path):
    """Compiled for Zen 4, not run: the instructions that the kernels were written for are there."""
    features = "+avx2,+avx512f,+avx512bw,+avx512vl,+avx512dq,+avx512vpopcntdq,+avx512vnni,+avx512bf16,+bmi2"
    counts, products, quads, floats = compiled_for("znver4", features, tmp_path)
    assert "vpopcntq" in counts
    assert "zmm" in counts
    assert "vpdpwssd" in products
    assert quads.count("vpdpbusd") >= 8
    assert re.search(r"vdpbf16ps (%zmm\d+|\S+\{1to16\}), %zmm", floats)
    assert re.search(r"vpdpbusd (%zmm\d+|\S+\{1to16\}), %zmm", quads)


@compiled
@pytest.mark.skipif(not X86, reason="AVX-VNNI is of x86")
def test_hosts_with_vnni_in_256_bits_get_its_joined_products(tmp_path):
    quads = compiled_for("alderlake", "+avx2,+avxvnni,+bmi2,+popcnt", tmp_path)[2]
    assert quads.count("vpdpbusd") >= 8
    assert re.search(r"vpdpbusd %ymm\d+, %ymm", quads)
    assert "zmm" not in quads
