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
from rule_sets import form_of

from engine.errors import SolverError
from engine.logic import solver as solver_module
from engine.logic.checking import check_rules
from engine.logic.examine import examined
from engine.logic.normal import AtLeast
from engine.logic.pipeline import OPTIMAL, RC2, UNKNOWN, Engine
from engine.logic.solver import Solver
from engine.logic.vocabulary import Variable, Vocabulary

ROOT = Path(__file__).parents[2]
FORM = form_of(2, [AtLeast((1, 2), 1)])
NOTHING, COSTS = np.zeros((2, 2), bool), np.array([[1, 2], [2, 1]])
ANSWER = [[True, False], [False, True]]
# Twelve pigeons in eleven holes: minutes of work.
PLACES = np.arange(1, 133).reshape(12, 11)
LONG = form_of(
    132,
    [AtLeast(tuple(row), 1) for row in PLACES.tolist()]
    + [AtLeast(tuple((-hole).tolist()), 11) for hole in PLACES.T],
)
posix = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")


def ask(solver, form=FORM, *, seconds=20.0):
    """Return the answers of RC2: to the short question, or to the long one."""
    engine = Engine(form, only="rc2", solver=solver, seconds=seconds)
    n = len(form.variables)
    if form is FORM:
        return engine(NOTHING, COSTS)
    return engine(np.zeros((1, n), bool), np.ones((1, n), np.int64))


@pytest.fixture
def solver():
    made = Solver()
    yield made
    made.close()


def test_it_starts_when_first_asked_and_keeps_running(solver):
    assert not solver.running
    assert ask(solver).values.tolist() == ANSWER
    process = solver._process
    assert ask(solver).values.tolist() == ANSWER
    assert solver._process is process


def test_a_process_found_dead_is_replaced_without_a_word(solver):
    ask(solver)
    solver._process.kill()
    solver._process.wait()
    assert ask(solver).values.tolist() == ANSWER


@posix
def test_a_process_killed_in_mid_question_gives_one_sentence_and_the_next_question_an_answer(solver):
    ask(solver)
    process = solver._process
    os.kill(process.pid, signal.SIGSTOP)
    killer = threading.Timer(0.2, process.kill)
    killer.start()
    with pytest.raises(SolverError, match="died before it answered"):
        ask(solver)
    killer.join()
    assert process.returncode is not None
    assert ask(solver).values.tolist() == ANSWER


@posix
def test_a_deadline_ends_the_process_and_the_next_question_starts_another():
    solver = Solver()
    ask(solver)
    process = solver._process
    os.kill(process.pid, signal.SIGSTOP)
    begin = time.monotonic()
    late = ask(solver, seconds=0.5)
    assert time.monotonic() - begin < 12
    assert process.returncode is not None
    assert (late.status[0], late.tool[0]) == (UNKNOWN, RC2)
    assert (late.status[1], late.values[1].tolist()) == (OPTIMAL, ANSWER[1])
    solver.close()


def test_a_slow_start_takes_nothing_from_the_time_of_a_question(monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import time; time.sleep(5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(solver_module, "_GRACE", 3.9)
    solver = Solver()
    assert ask(solver, seconds=0.1).status.tolist() == [OPTIMAL, OPTIMAL]
    solver.close()


def test_an_examination_ends_in_its_time_with_what_it_knows():
    solver = Solver()
    ask(solver)  # its start is no part of the time
    begin = time.monotonic()
    found = examined(LONG, solver, 0.3)
    assert time.monotonic() - begin < 1.3 + 0.5
    assert (found.satisfiable, len(found.open)) == (None, len(LONG.rules))
    assert solver.running
    solver.close()


def test_an_examination_that_cannot_be_handed_over_in_time_leaves_everything_open(monkeypatch):
    solver = Solver()
    monkeypatch.setattr(solver_module, "_END", 0.0)
    monkeypatch.setattr(solver_module, "write_message", lambda *_: time.sleep(0.5))
    ask_nothing = examined(LONG, solver, 0.2)
    assert (ask_nothing.satisfiable, len(ask_nothing.open)) == (None, len(LONG.rules))
    assert not solver.running
    monkeypatch.undo()
    assert ask(solver).values.tolist() == ANSWER
    solver.close()


def test_a_deadline_holds_in_the_middle_of_real_work():
    solver = Solver()
    begin = time.monotonic()
    late = ask(solver, LONG, seconds=1.0)
    assert time.monotonic() - begin < 6
    assert late.status.tolist() == [UNKNOWN]
    assert ask(solver).values.tolist() == ANSWER
    solver.close()


def test_threads_take_turns(solver):
    found: list[list[list[bool]]] = []

    def often() -> None:
        found.extend(ask(solver).values.tolist() for _ in range(20))

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ANSWER] * 80


def test_more_rule_sets_than_the_process_keeps_are_sent_again(solver):
    forms = [form_of(2 + i, [AtLeast((1, 2), 2)]) for i in range(40)]
    for _ in range(2):
        for form in forms:
            assert ask(solver, form).values[0].tolist() == [True, True, *[False] * (len(form.variables) - 2)]


def test_closing_ends_the_process_and_may_be_done_twice(solver):
    ask(solver)
    process = solver._process
    solver.close()
    solver.close()
    assert process.returncode == 0
    assert not solver.running


def test_closing_does_not_wait_for_a_long_request_of_another_thread(solver):
    errors: list[SolverError] = []

    def long() -> None:
        try:
            ask(solver, LONG, seconds=60.0)
        except SolverError as error:
            errors.append(error)

    thread = threading.Thread(target=long)
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
    ask(solver)
    assert threading.active_count() == before


def test_without_python_sat_it_says_so(solver, tmp_path, monkeypatch):
    (tmp_path / "pysat").mkdir()
    (tmp_path / "pysat" / "__init__.py").write_text('raise ImportError("No module named pysat")')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SolverError, match=r"python-sat is not installed\. .*pip install"):
        ask(solver)


def test_an_interpreter_that_cannot_be_started_gives_one_sentence(solver, monkeypatch):
    monkeypatch.setattr(solver_module.sys, "executable", str(ROOT / "no-such-python"))
    with pytest.raises(SolverError, match="cannot be started: No such file"):
        ask(solver)


_ASKS = """
import numpy as np
from engine.logic.normal import AtLeast, NormalForm
from engine.logic.pipeline import Engine
from engine.logic.solver import shared_solver
none = np.zeros(2, bool)
form = NormalForm(("a", "b"), 0, (AtLeast((1, 2), 1, (), 0),), ("r",), none, none.astype(np.int64))
found = Engine(form, only="rc2")(np.zeros((1, 2), bool), np.array([[1, 2]]))
assert found.values.tolist() == [[True, False]]
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
    code = (
        _ASKS
        + """
import os, signal, threading
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
places = np.arange(1, 133).reshape(12, 11)
rules = [AtLeast(tuple(row), 1) for row in places.tolist()]
rules += [AtLeast(tuple((-hole).tolist()), 11) for hole in places.T]
many = NormalForm(("x",) * 132, 0, tuple(rules), (), np.zeros(132, bool), np.zeros(132, np.int64))
Engine(many, only="rc2", seconds=1.0)(np.zeros((1, 132), bool), np.ones((1, 132), np.int64))
"""
    )
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


def test_a_prepared_process_is_started_before_it_is_asked_and_then_only_once():
    solver = Solver(prepared=True)
    solver.start()
    process = solver._process
    assert solver.running
    solver.start()
    assert check_rules("rule: a", Vocabulary((Variable("a"),)), solver=solver).satisfiable
    assert solver._process is process
    solver.close()
