"""Shared by all tests: no screen, no settings of the person who runs them, nothing left running behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the settings and recovery files of the person who runs the tests out of them."""
    home = tmp_path_factory.mktemp("home")
    os.environ["POLYBIT_STATE"] = str(home)
    try:
        from PySide6.QtCore import QSettings
    except ImportError:  # the engine is tested without Qt too
        return
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(home))


@pytest.fixture(autouse=True)
def _garbage_in_this_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep Python from taking down a test's widgets in a thread that some other test started."""
    if "PySide6" not in sys.modules or "engine" in request.path.parts[-2:]:
        yield
        return
    gc.disable()
    yield
    gc.collect(1)
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _no_window_left_to_others(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take down here and now what a module's windows leave: the next may be one whose threads would do it.

    After each test young garbage is collected alone, which is quick; what was older by then would wait until
    some test of the engine allocates enough, in any thread: documents, timers, undo stacks and all.
    """
    yield
    if "PySide6" not in sys.modules or "engine" in request.path.parts[-2:]:
        return
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtGui import QUndoStack
    from shiboken6 import isValid

    if QCoreApplication.instance():
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    # Collecting a stack with its commands in one cycle has crashed Qt: it deletes commands by itself.
    for stack in [o for o in gc.get_objects() if isinstance(o, QUndoStack)]:
        if isValid(stack):
            stack.blockSignals(True)
            stack.clear()
    gc.collect()


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread behind."""
    before = set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in before and t.is_alive() and not _pool(t)]
    assert not left, f"the test leaves threads running: {', '.join(left)}"


def _pool(thread: threading.Thread) -> bool:
    """Whether a thread belongs to a pool that stays for the whole session by design."""
    return thread.name.startswith(("kernels", "ThreadPoolExecutor", "pydevd", "curves"))


@pytest.fixture
def projects() -> Path:
    """Return the folder of the example projects."""
    return Path(__file__).parents[1] / "projects"
