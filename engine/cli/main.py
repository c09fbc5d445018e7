"""The command line: its verbs, their options, and how errors leave it.

Exit status: 0 success, 1 a problem in the input, 2 wrong usage, 130 stopped by the user. Errors are one
sentence on standard error, never a traceback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module

from ..bench.suites import SUITES
from ..errors import PolybitError
from .look_at import catalogue, check, show_estimate
from .measure import bench, hardware
from .plan import KINDS, show_plan
from .quantizing import add_quantize, quantize
from .reshape import widen
from .rules import add_rules
from .stopping import ended_by_signal
from .work import evaluate, export, predict, train_project

_MOST_THREADS = 256
_WINDOW = {("shot",): "app.shot", ("bench", "window"): "app.lag"}
Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    try:
        for verb, module in _WINDOW.items():  # their options are the window's to know
            if tuple(arguments[: len(verb)]) == verb:
                return int(_window(module).main(list(arguments[len(verb) :])))
        options = _parser().parse_args(list(arguments) or ["open"])
        with nullcontext() if options.run is _open else ended_by_signal():
            return int(options.run(options))
    except BrokenPipeError:
        return 1
    except (PolybitError, OSError) as error:
        print(f"polybit: {_words(error)}", file=sys.stderr)  # noqa: T201 - the command line's own door
        return 1
    except MemoryError:
        print("polybit: There is not enough memory for this.", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        print("polybit: Stopped.", file=sys.stderr)  # noqa: T201
        return 130


def _words(error: Exception) -> str:
    if isinstance(error, OSError):  # what the system says of a path that no file can have
        return f"{str(error.filename or 'A file')[:200]}: {error.strerror or error}."
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="polybit",
        description="Hybrid binary intelligence: four paradigms in one graph.",
        epilog="Without a verb the workbench opens.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    one = _verb(verbs, "open", _open, "open the workbench")
    one.add_argument("project", nargs="?", default="", help="project to open (.polybit)")
    one = _verb(verbs, "check", check, "list the problems of a project", json=True)
    one.add_argument("project", help="project (.polybit)")
    one.add_argument(
        "--gradients", action="store_true", help="compare gradients with finite differences, node by node"
    )
    one = _verb(verbs, "estimate", show_estimate, "size, operations and energy of a project", json=True)
    one.add_argument("project", help="project (.polybit)")
    one = _verb(verbs, "plan", show_plan, "which kernel serves which layer of a shipped model", json=True)
    one.add_argument("file", help="project (.polybit), exported model or run file (.h5)")
    one.add_argument("--samples", choices=list(KINDS), default="float32", help="dtype of the samples given")
    _training(_verb(verbs, "train", train_project, "train a project", json=True))
    one = _verb(verbs, "evaluate", evaluate, "accuracy and rule violations on a data file", json=True)
    one.add_argument("model", help="exported model or run file (.h5)")
    one.add_argument("--data", required=True, help="data file with labels")
    one = _verb(verbs, "predict", predict, "labels, scores and broken rules of a data file", json=True)
    one.add_argument("model", help="exported model or run file (.h5)")
    one.add_argument("--data", required=True, help="data file")
    one.add_argument("--out", required=True, help="where to, by suffix: .csv .npz .h5")
    one = _verb(verbs, "export", export, "write the model of a run", json=True)
    one.add_argument("run_file", help="run file (.h5), as train wrote it")
    one.add_argument("--out", required=True, help="where to, by suffix: .h5")
    words = "narrow the float weights of a trained run, without gradients"
    add_quantize(_verb(verbs, "quantize", quantize, words, json=True))
    one = _verb(verbs, "widen", widen, "more units and filters in every hidden layer", json=True)
    one.add_argument("project", help="project (.polybit)")
    one.add_argument("--factor", type=float, default=2.0, help="how many times as wide (default 2)")
    one.add_argument("--out", required=True, help="project to write (.polybit)")
    add_rules(verbs, _verb)
    one = _verb(
        verbs, "catalogue", catalogue, "every kind of node and every option, with its citation", json=True
    )
    one.add_argument("--family", default="", help="only this family (bnn, hdc, bnn.estimator ...)")
    one = _verb(verbs, "bench", bench, "ours beside peers, as ratios", json=True)
    one.add_argument(
        "suite", nargs="?", choices=list(SUITES), help="which (else all quick ones); window PROJECT: its lag"
    )
    one.add_argument("--pairs", type=_pairs, default=9, help="interleaved pairs a comparison (default 9)")
    one.add_argument("--peers", action="store_true", help="beside other programs too (pip extra: bench)")
    one.add_argument("--cores", type=_threads, help="cores each side may use (else as the suite says)")
    one = _verb(
        verbs, "hardware", hardware, "what this host can do, and the kernels chosen for it", json=True
    )
    one.add_argument("--again", action="store_true", help="measure anew, as where the host was busy before")
    _verb(verbs, "shot", _open, "draw the window or a panel to a picture, without a screen (shot --help)")
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Verb,
    words: str,
    *,
    json: bool = False,
) -> argparse.ArgumentParser:
    made = verbs.add_parser(name, help=words, description=words.capitalize() + ".")
    made.set_defaults(run=run)
    if json:
        made.add_argument("--json", action="store_true", help="print figures as JSON")
    return made


def _training(one: argparse.ArgumentParser) -> None:
    one.add_argument("project", help="project (.polybit)")
    one.add_argument("--out", required=True, help="run file to write after every epoch (.h5)")
    one.add_argument("--data", help="data file instead of the project's own")
    one.add_argument("--epochs", type=int, help="epochs instead of the project's own")
    one.add_argument("--seed", type=int, help="seed instead of the project's own")
    one.add_argument("--threads", type=_threads, default=1, help="that share the work, 1 to 256 (default 1)")
    one.add_argument("--resume", action="store_true", help="go on from --out where it stopped")


def _pairs(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1000:
        raise argparse.ArgumentTypeError("must be 1 to 1000")
    return count


def _threads(text: str) -> int:
    count = int(text)
    if not 1 <= count <= _MOST_THREADS:
        raise argparse.ArgumentTypeError(f"must be 1 to {_MOST_THREADS}; got {text[:20]}")
    return count


def _open(options: argparse.Namespace) -> int:
    return int(_window("app.__main__").run([options.project] if options.project else []))


def _window(module: str):  # type: ignore[no-untyped-def]
    """Import a module of the window, which the engine does not need and may not have beside it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in (
            "app",
            "PySide6",
            "pyqtgraph",
            "qtawesome",
            "fontpkg_inter",
            "fontpkg_jetbrains_mono",
        ):
            raise
        raise PolybitError(
            f"The window needs {missing}, which is not installed.",
            do="Install it with: pip install 'polybit[window]'; all other verbs work without it.",
        ) from error
