"""logic/warming.py: kernels of repair are compiled beside a program, once, no longer than it lives."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.kernels.keeping import is_kept
from engine.kernels.repair_search import search_rows
from engine.logic import warming
from engine.logic.pipeline import Engine
from engine.logic.warming import Warming

ROOT = Path(__file__).parents[2]


def test_what_is_compiled_before_starts_nothing(monkeypatch):
    monkeypatch.setattr(warming, "is_kept", lambda _: True)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    one = Warming()
    one.start()
    assert one.wait(0.0)


def test_what_is_not_is_compiled_once_in_a_process_that_ends(monkeypatch):
    monkeypatch.setattr(warming, "is_kept", lambda _: False)
    one = Warming()
    one.start()
    first = one._process
    one.start()
    assert one._process is first
    assert one.wait(120.0)
    assert is_kept(search_rows)
    one.stop()


def test_it_compiles_what_repair_takes(monkeypatch):
    asked = []
    monkeypatch.setattr(Engine, "__init__", lambda self, _, only: asked.append(only))
    monkeypatch.setattr(Engine, "__call__", lambda self, values, costs: asked.append(int(costs[0, 0])))
    warming._compile()
    assert asked == ["search", 1, "search", 1 << 40, "diagram", 1, "diagram", 1 << 40]


def test_it_ends_where_the_program_ends_that_started_it():
    then = "warming._compile = lambda: time.sleep(60); warming.main()"
    code = f"import time; from engine.logic import warming; {then}"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=ROOT)
    time.sleep(0.5)
    began = time.monotonic()
    process.stdin.close()
    assert process.wait(30) == 1
    assert time.monotonic() - began < 30
