"""What machine code may use of the processor; NUMBA_CPU_NAME and NUMBA_CPU_FEATURES have their say."""

from __future__ import annotations

from functools import cache

import llvmlite.binding as llvm
import numba

_AVX2 = frozenset({"avx2"})
_AVX512 = _AVX2 | {"avx512f", "avx512bw"}
_VNNI = _AVX512 | {"avx512vnni"}
_COUNTS = _VNNI | {"avx512vpopcntdq"}
_ALL = _COUNTS | {"avx512bf16"}
# What a name of LLVM's implies, by how the name begins; the first that fits counts.
_OF_NAMES: dict[str, frozenset[str]] = {
    "skylake-avx512": _AVX512,
    "cascadelake": _VNNI,
    "cooperlake": _VNNI | {"avx512bf16"},
    "icelake": _COUNTS,
    "tigerlake": _COUNTS,
    "rocketlake": _COUNTS,
    "sapphirerapids": _ALL | {"avxvnni"},
    "emeraldrapids": _ALL | {"avxvnni"},
    "graniterapids": _ALL | {"avxvnni"},
    "znver4": _ALL,
    "znver5": _ALL | {"avxvnni"},
    "alderlake": _AVX2 | {"avxvnni"},
    "raptorlake": _AVX2 | {"avxvnni"},
    "haswell": _AVX2,
    "broadwell": _AVX2,
    "skylake": _AVX2,
    "znver": _AVX2,
    "x86-64-v3": _AVX2,
    "x86-64-v4": _AVX512,
}


def name() -> str:
    """Return the processor's name as LLVM knows it, or the one that was asked for."""
    told: str | None = numba.config.CPU_NAME  # type: ignore[attr-defined]
    return told or str(llvm.get_host_cpu_name())


def compiled() -> bool:
    """Return whether kernels are machine code: they are plain Python under NUMBA_DISABLE_JIT."""
    return not numba.config.DISABLE_JIT  # type: ignore[attr-defined]


@cache
def features() -> frozenset[str]:
    """Return the features that machine code may use, in LLVM's words; none where the JIT is off."""
    if not compiled():
        return frozenset()
    told: str | None = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    if told is None:
        return frozenset(key for key, there in llvm.get_host_cpu_features().items() if there)
    return asked(name(), told)


def asked(cpu: str, told: str) -> frozenset[str]:
    """Return the features of a named processor, more or less those `told`, such as `+avx2,-fma`."""
    found = next((had for begin, had in _OF_NAMES.items() if cpu.startswith(begin)), frozenset[str]())
    signed = [part.strip() for part in told.split(",") if part.strip()]
    more = {part[1:] for part in signed if part.startswith("+")}
    return (found | more) - {part[1:] for part in signed if part.startswith("-")}
