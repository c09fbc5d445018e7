"""Makes the application and its window."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.theme.current import Mode, theme

NAME = "Polybit"


def application(mode: Mode | None = None) -> QApplication:
    """Return the application, made and dressed where there is none yet."""
    there = QApplication.instance()
    if not isinstance(there, QApplication):
        QCoreApplication.setOrganizationName(NAME)
        QCoreApplication.setApplicationName(NAME)
        QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
        there = QApplication(sys.argv[:1])
    theme().start(mode)
    return there


def start(project: Path | None) -> int:
    """Open the window and run until it is closed; return the exit status."""
    there = application()
    from app.window.main import MainWindow

    window = MainWindow()
    if project:
        window.files.open(project)
    window.show()
    gc.freeze()  # what is loaded now stays: later collections need not look at it
    signal.signal(signal.SIGINT, lambda *_: window.close())
    alarm = QTimer(interval=250)  # lets Python see Ctrl+C while Qt runs
    alarm.timeout.connect(lambda: None)
    alarm.start()
    status = there.exec()
    alarm.stop()
    return int(status)
