"""The house: imports run downward only, files and functions stay small, no text is executed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symbp"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = [
    {"errors", "notation", "sizes", "words"},
    {"files", "places"},
    {"figures"},
    {"expr"},
    {"ir"},
    {"program"},
    {"ops"},
    {"spec", "derive"},
    {"lower", "moments"},
    {"emit"},
    {"explain"},
    {"report", "effort"},
    {"api", "gain", "spending", "unrolling", "training", "variances"},
    {"initialization"},
    {"causes", "sources", "fields"},
    {"pipeline"},
    {"calculus", "costs", "trainer", "landscape", "simulation"},
    {"screen"},
    {"cli"},
    {"__main__"},
]
"""The rooms from the ground up: one imports what lies below it, never its equals."""

FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
JUDGE = {"check"}  # any room from `report` up may ask it
NUMPY_ALONE = {"check": {"errors"}, "training": {"errors", "files"}}
"""Rooms that know numbers and no formulas, and what they may import of ours."""

AT_FIRST_USE = {"__init__.py"}  # what is public is imported when it is first asked for (PEP 562)

LINES = 300
FUNCTION = 40
EXECUTED = {"eval", "exec", "compile", "sympify", "parse_expr", "lambdify", "pickle", "loads"}
"""What could run a text; `compile` and `exec` have one place each, `sympify` is strict."""


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room(module: str) -> str:
    """Return the room of `symbp.emit.names` or of a file's path in the package: `emit`."""
    return module.split(".")[1] if "." in module else "__init__"


def imports(module: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Yield each module that is imported, its line, and whether at the top of the file."""
    typing = {
        id(inner)
        for node in module.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(module):
        if id(node) in typing:
            continue
        at_top = node in module.body
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, at_top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: a relative import"
            names = [f"symbp.{alias.name}" for alias in node.names]
            yield from ((name, node.lineno, at_top) for name in (
                names if node.module == "symbp" else [str(node.module)]
            ))  # fmt: skip


def own(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def violations(path: Path, module: ast.Module) -> list[str]:
    """Return what a file imports from above, from beside, or out of sight."""
    mine, found = own(path), []
    for name, line, at_top in imports(module):
        if not at_top:
            found.append(f"line {line}: {name} is imported out of sight")
        outside = name.split(".")[0] in ("sympy", "jinja2", "lark", "click", "rich")
        if mine in NUMPY_ALONE and outside:
            found.append(f"line {line}: {mine} imports {name}")
        if name.split(".")[0] != "symbp" or name == "symbp.__version__":
            continue
        theirs = room(name)
        if theirs == mine:
            continue
        if mine in NUMPY_ALONE:
            allowed = theirs in NUMPY_ALONE[mine]
        elif theirs in JUDGE:
            allowed = FLOOR[mine] >= FLOOR["report"]
        else:
            allowed = FLOOR[theirs] < FLOOR[mine]
        if not allowed:
            found.append(f"line {line}: {mine} imports {theirs}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downward(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() not in AT_FIRST_USE:
        assert violations(path, tree(path)) == []


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("ir.py", "from symbp.ops import FUNCTIONS", "ir imports ops"),
        ("spec/a.py", "from symbp.derive.naming import x", "spec imports derive"),
        ("derive/a.py", "import symbp.emit.math", "derive imports emit"),
        ("emit/a.py", "from symbp import api", "emit imports api"),
        ("emit/a.py", "from symbp.check import judge", "emit imports check"),
        ("check/a.py", "from symbp.ir import Expr", "check imports ir"),
        ("check/a.py", "import sympy as sp", "check imports sympy"),
        ("training/a.py", "import rich", "training imports rich"),
        ("training/a.py", "from symbp.program import Program", "training imports program"),
        ("cli/a.py", "def f():\n    from symbp.errors import Span", "out of sight"),
    ],
)
def test_a_wrong_import_is_found(file: str, text: str, what: str) -> None:
    assert any(what in found for found in violations(PACKAGE / file, ast.parse(text)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_functions_are_short(path: Path) -> None:
    functions = (n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef))
    lengths = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno}
    assert {name: length for name, length in lengths.items() if length > FUNCTION} == {}


def executed(module: ast.Module) -> list[str]:
    """Return the calls that could run a text, as they are written."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            strict = any(word.arg == "strict" for word in node.keywords)
            regular = ast.unparse(node.func).startswith("re.")
            if name in EXECUTED and not strict and not regular:
                found.append(ast.unparse(node))
        if isinstance(node, ast.Import | ast.ImportFrom) and "pickle" in ast.unparse(node):
            found.append(ast.unparse(node))
    return found


def test_one_text_is_executed() -> None:
    found = {path.name: executed(tree(path)) for path in FILES if executed(tree(path))}
    assert found == {
        "pipeline.py": [
            "compile(source, f'<{name} emitted by symbp>', 'exec')",
            "exec(code, module.__dict__)",
        ]
    }
