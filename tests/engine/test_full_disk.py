"""A disk that is full or locked: one sentence, nothing half written, nobody left running."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

resource = pytest.importorskip("resource")
ROOT = Path(__file__).parents[2]
RUN = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most})); {then}"
VERB = "sys.argv[0] = 'polybit'; runpy.run_module('engine', run_name='__main__')"


def run(most, *words, then=VERB, **environment):
    """Run a verb where no file may be larger than `most` bytes; return status, output, errors."""
    command = [sys.executable, "-c", RUN.format(most=most, then=then), *map(str, words)]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=(words and Path(words[-1]).parent) or ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        out, err = process.communicate(timeout=120)
    with pytest.raises(ProcessLookupError):  # no solver process is left in its group
        os.killpg(process.pid, 0)
    return process.returncode, out, err


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "rules.cnf").write_text("p cnf 3 2\n1 -2 0\n2 3 0\n")
    scores = np.random.default_rng(0).random((4_000, 3))
    np.savetxt(tmp_path / "scores.csv", scores, fmt="%.3f", delimiter=",", header="x1,x2,x3", comments="")
    return tmp_path


@pytest.mark.parametrize("name", ["out.csv", "out.npz"])
def test_an_output_that_does_not_fit_leaves_nothing_behind(name, rules):
    words = ("rules", "repair", rules / "rules.cnf", "--scores", rules / "scores.csv", "--out", rules / name)
    status, _, err = run(4096, *words)
    assert status == 1
    assert err.count("\n") == 1
    assert f"Cannot write {name}: " in err
    assert sorted(path.name for path in rules.iterdir()) == ["rules.cnf", "scores.csv"]


def test_machine_code_that_cannot_be_kept_stops_no_work(tmp_path):
    then = (
        "import numpy as np; from engine.kernels.repair_order import openness as kernel; "
        "print(kernel(*(np.zeros(1, np.int32) for _ in range(3)), 1, np.zeros(2, np.int64)))"
    )
    status, out, err = run(64, then=then, POLYBIT_CACHE=str(tmp_path))
    assert (status, out, err) == (0, "0\n", "")
    assert not [path for path in tmp_path.rglob("*.nbc") if path.stat().st_size]


def test_where_no_folder_can_be_written_to_a_sentence_says_what_to_set(rules):
    status, out, err = run(0, "rules", "check", rules / "rules.cnf", POLYBIT_CACHE=os.devnull)
    assert (status, out) == (1, "")
    assert err.startswith("polybit: There is nowhere to keep files: No usable temporary directory")
    assert err.count("\n") == 1
    assert "POLYBIT_CACHE" in err
