"""The solver process: it restarts, keeps deadlines, takes turns, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.errors import SolverError
from engine.logic import solver as solver_module
from engine.logic.circuit import Circuit
from engine.logic.ruleset import RuleSet
from engine.logic.solver import Solver
from engine.ports import Column

ROOT = Path(__file__).parents[2]
RULES = RuleSet.of("rule: if x <= 3 then class = a", ("a", "b"), (Column("x"),))
ROWS = np.array([[1], [0], [2]], np.int8)
ANSWER = [[True, False], [True, True], [True, True]]
# A million questions of a thousand gates: minutes of work.
LONG = Circuit(2_000, 0, tuple((1, (i + 1, i + 2)) for i in range(1_000)), (1,))
posix = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")


@pytest.fixture
def solver():
    made = Solver()
    yield made
    made.close()


def test_it_starts_when_first_asked_and_keeps_running(solver):
    assert not solver.running
    assert solver.allowed(RULES.circuit, ROWS).tolist() == ANSWER
    process = solver._process
    assert solver.allowed(RULES.circuit, ROWS).tolist() == ANSWER
    assert solver._process is process


def test_a_process_found_dead_is_replaced_without_a_word(solver):
    solver.allowed(RULES.circuit, ROWS)
    solver._process.kill()
    solver._process.wait()
    assert solver.allowed(RULES.circuit, ROWS).tolist() == ANSWER


@posix
def test_a_process_killed_in_mid_question_gives_one_sentence_and_the_next_question_an_answer(solver):
    solver.allowed(RULES.circuit, ROWS)
    process = solver._process
    os.kill(process.pid, signal.SIGSTOP)
    killer = threading.Timer(0.2, process.kill)
    killer.start()
    with pytest.raises(SolverError, match="died before it answered"):
        solver.allowed(RULES.circuit, ROWS)
    killer.join()
    assert process.returncode is not None
    assert solver.allowed(RULES.circuit, ROWS).tolist() == ANSWER


@posix
def test_a_deadline_ends_the_process_and_the_next_question_starts_another():
    solver = Solver(seconds=0.3)
    solver.allowed(RULES.circuit, ROWS)
    process = solver._process
    os.kill(process.pid, signal.SIGSTOP)
    begin = time.monotonic()
    with pytest.raises(SolverError, match=r"after 0\.3 seconds"):
        solver.allowed(RULES.circuit, ROWS)
    assert time.monotonic() - begin < 2
    assert process.returncode is not None
    solver._seconds = 20.0
    assert solver.allowed(RULES.circuit, ROWS).tolist() == ANSWER
    solver.close()


def test_a_deadline_holds_in_the_middle_of_real_work():
    solver = Solver(seconds=1.0)
    begin = time.monotonic()
    with pytest.raises(SolverError, match="after 1 seconds"):
        solver.allowed(LONG, np.zeros((512, 0), np.int8))
    assert time.monotonic() - begin < 3
    assert not solver.running


def test_threads_take_turns(solver):
    found: list[list[list[bool]]] = []

    def ask() -> None:
        found.extend(solver.allowed(RULES.circuit, ROWS).tolist() for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ANSWER] * 80


def test_more_rule_sets_than_the_process_keeps_are_sent_again(solver):
    circuits = [Circuit(2 + i, 0, (), ()) for i in range(40)]
    for _ in range(2):
        for circuit in circuits:
            assert solver.allowed(circuit, np.zeros((1, 0), np.int8)).all()


def test_many_rows_are_asked_in_parts_and_come_back_in_order(solver):
    rows = np.random.default_rng(0).integers(0, 3, (1_300, 1)).astype(np.int8)
    assert np.array_equal(solver.allowed(RULES.circuit, rows)[:, 1], rows[:, 0] != 1)


def test_closing_ends_the_process_and_may_be_done_twice(solver):
    solver.allowed(RULES.circuit, ROWS)
    process = solver._process
    solver.close()
    solver.close()
    assert process.returncode == 0
    assert not solver.running


def test_closing_does_not_wait_for_a_long_request_of_another_thread(solver):
    errors: list[SolverError] = []

    def ask() -> None:
        try:
            solver.allowed(LONG, np.zeros((512, 0), np.int8))
        except SolverError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    begin = time.monotonic()
    solver.close()
    assert time.monotonic() - begin < 3
    thread.join()
    assert len(errors) == 1
    assert not solver.running


def test_no_thread_is_left_between_questions(solver):
    before = threading.active_count()
    solver.allowed(RULES.circuit, ROWS)
    assert threading.active_count() == before


def test_without_python_sat_it_says_so(solver, tmp_path, monkeypatch):
    (tmp_path / "pysat").mkdir()
    (tmp_path / "pysat" / "__init__.py").write_text('raise ImportError("No module named pysat")')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SolverError, match=r"python-sat is not installed\. .*pip install"):
        solver.allowed(RULES.circuit, ROWS)


def test_an_interpreter_that_cannot_be_started_gives_one_sentence(solver, monkeypatch):
    monkeypatch.setattr(solver_module.sys, "executable", str(ROOT / "no-such-python"))
    with pytest.raises(SolverError, match="cannot be started: No such file"):
        solver.allowed(RULES.circuit, ROWS)


_ASKS = """
import numpy as np
from engine.logic.ruleset import RuleSet
from engine.logic.solver import shared_solver
rules = RuleSet.of("rule: class = a", ("a", "b"), ())
assert shared_solver().allowed(rules.circuit, np.zeros((1, 0), np.int8)).tolist() == [[True, False]]
print(shared_solver()._process.pid, flush=True)
"""


def _run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_the_shared_process_ends_with_the_program_and_nothing_is_printed():
    done = _run(_ASKS)
    assert (done.returncode, done.stderr) == (0, "")
    assert _gone(int(done.stdout))


@posix
def test_the_process_dies_when_its_parent_is_killed():
    done = _run(_ASKS + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL
    assert _gone(int(done.stdout))


@posix
def test_the_process_ends_by_itself_when_its_parent_is_killed_in_mid_question():
    code = """
import os, signal, threading, numpy as np
from engine.logic.circuit import Circuit
from engine.logic.solver import Solver
solver = Solver(seconds=1.0)
solver.allowed(Circuit(2, 0, (), ()), np.zeros((1, 0), np.int8))
print(solver._process.pid, flush=True)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
gates = tuple((1, (i + 1, i + 2)) for i in range(1_000))
solver.allowed(Circuit(2_000, 0, gates, (1,)), np.zeros((512, 0), np.int8))
"""
    done = _run(code)
    assert done.returncode == -signal.SIGKILL
    assert _gone(int(done.stdout))


def test_importing_the_room_imports_neither_python_sat_nor_the_parser():
    done = _run("import sys, engine.logic.rules; assert not {'pysat', 'lark'} & set(sys.modules)")
    assert (done.returncode, done.stderr) == (0, "")


def _gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        stat = Path(f"/proc/{pid}/stat")
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
