"""The house keeps its own rules: README and disk agree, the wheel is clean, numba is cached by content."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_gives_the_command_that_ci_runs():
    lines = README.split("\n")
    command = next(line for line in lines if line.startswith("python3 -m venv") and "pytest" in line)
    assert command in (ROOT / ".ci" / "run").read_text()


def test_the_readme_lists_every_room():
    rooms = {
        f"{top}/{p.name}/"
        for top in ("engine", "app")
        for p in (ROOT / top).iterdir()
        if p.is_dir() and p.name != "__pycache__"
    }
    named = set(re.findall(r"`((?:engine|app)/\w+/)`", README))
    assert named == rooms


def test_the_readme_names_every_dependency():
    project = (ROOT / "pyproject.toml").read_text()
    block = project[project.index("dependencies") : project.index("[project.scripts]")]
    needed = {n.lower() for n in re.findall(r'"([A-Za-z0-9-]+)(?:\[|>|")', block)} - {"polybit"}
    table = README.lower()
    assert not [name for name in needed if f"| {name} " not in table and f"| {name.lower()} |" not in table]


def test_every_picture_and_page_the_readme_shows_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


def test_every_module_says_what_it_holds():
    silent = [
        str(p.relative_to(ROOT))
        for top in ("engine", "app")
        for p in (ROOT / top).rglob("*.py")
        if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_no_file_grows_past_four_hundred_lines():
    long = [
        str(p.relative_to(ROOT))
        for top in ("engine", "app")
        for p in (ROOT / top).rglob("*.py")
        if p.read_text(encoding="utf-8").count("\n") > 400
    ]
    assert not long


def test_every_kernel_lets_other_threads_run():
    from engine.catalog import NODES
    from engine.kernels import jit

    assert NODES
    assert len(jit.KERNELS) > 20
    import importlib

    for name in jit.KERNELS:
        module, _, function = name.rpartition(".")
        made = getattr(importlib.import_module(module), function)
        assert made.targetoptions["nogil"], name
        assert not made.targetoptions.get("fastmath"), name


def test_the_wheel_holds_the_engine_and_the_window_and_nothing_else(tmp_path):
    house = tmp_path / "house"
    house.mkdir()
    for name in ("app", "engine"):
        shutil.copytree(ROOT / name, house / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, house / name)
    options = ["-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(house)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"app", "engine"}
