"""The README and the documents: every example runs, and prints what is shown.

```python blocks of a file run in their order, in one namespace; ```console blocks run what follows
`$ symbp` and `$ python`, and each line shown below must be in the output, `…` aside.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SKIPPED = "…"


@dataclass
class Example:
    """A command and the lines shown below it."""

    command: str
    shown: list[str]


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [body for found, body in _FENCE.findall(text) if found == language]


def examples(block: str) -> list[Example]:
    """Return the commands of a console block; a line that ends in a backslash goes on."""
    found: list[Example] = []
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append(Example(line[2:], []))
        elif found and line.strip():
            found[-1].shown.append(line)
    return found


def squeezed(text: str) -> str:
    """Return a text with every run of blanks made one, so that columns may move."""
    return " ".join(text.split())


def missing(shown: list[str], output: str) -> list[str]:
    """Return the lines that are shown and not printed; `…` stands for anything."""
    printed = [squeezed(line) for line in output.splitlines()]
    absent = []
    for line in map(squeezed, shown):
        form = ".*".join(map(re.escape, line.split(SKIPPED)))
        if line != SKIPPED and not any(re.fullmatch(form, other) for other in printed):
            absent.append(line)
    return absent


def workplace(folder: Path) -> Path:
    """Return a copy of what a reader who cloned the project stands in."""
    for name in ("specs", "generated"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def started(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `symbp …` or `python …` in a folder."""
    first, *rest = shlex.split(command)
    words = [sys.executable, *(["-m", "symbp"] if first == "symbp" else []), *rest]
    path = os.pathsep.join([str(ROOT), str(folder / "generated")])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        words, cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=120
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands(page: Path, tmp_path: Path) -> None:
    folder = workplace(tmp_path)
    for block in blocks(page.read_text(encoding="utf-8"), "console"):
        for example in examples(block):
            if example.command.split()[0] in ("symbp", "python"):
                done = started(example.command, folder)
                assert done.returncode == 0, f"$ {example.command}\n{done.stdout}{done.stderr}"
                assert missing(example.shown, done.stdout) == [], f"$ {example.command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workplace(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "generated"))
    before = set(sys.modules)
    names: dict[str, object] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in blocks(page.read_text(encoding="utf-8"), "python"):
            exec(compile(block, str(page), "exec"), names)
    for name in set(sys.modules) - before:  # modules of the folder are not those of another test
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def test_the_readme_has_examples() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [e.command for block in blocks(text, "console") for e in examples(block)]
    assert any(command.startswith("symbp derive") for command in commands)
    assert blocks(text, "python")


def test_a_wrong_line_is_found() -> None:
    assert missing(["a   b", "…", "c … e"], "a b\nc d e\n") == []
    assert missing(["a b c"], "a b\nc\n") == ["a b c"]
