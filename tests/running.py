"""Running the command line: in this process, or as a user does in one of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symbp.cli import main

ROOT = Path(__file__).parents[1]
SPECS = ROOT / "specs"
CLEAN = (
    ("ruff", "format", "--config", "pyproject.toml", "--diff"),
    ("ruff", "check", "--config", "pyproject.toml"),
    ("mypy", "--strict", "--config-file", ""),
)
"""What an emitted module is clean under."""


def run(*arguments: object) -> Result:
    """Run `symbp` in this process; what it raises by mistake fails the test."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def launch(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m symbp` as a process of its own, in UTF-8 unless told, without a terminal."""
    known = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **(env or {})}
    command = [sys.executable, "-m", "symbp", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=known, capture_output=True, timeout=120,
        encoding=known["PYTHONIOENCODING"],
    )  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def same(path: Path, text: str) -> None:
    """Compare a file with a text, byte for byte; with SYMBP_UPDATE=1, write it."""
    if os.environ.get("SYMBP_UPDATE") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text


def assert_clean(folder: Path, command: Sequence[str]) -> None:
    """Assert that a tool finds nothing in the modules of a folder; skip where it is missing."""
    pytest.importorskip(command[0])
    files = sorted(map(str, folder.glob("*.py")))
    result = subprocess.run(
        [sys.executable, "-m", *command, *files], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
