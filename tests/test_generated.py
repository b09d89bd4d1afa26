"""What is committed is what comes out: the modules in generated/, the readings in golden/.

SYMBP_UPDATE=1 pytest tests/test_generated.py writes both anew.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from running import ROOT, SPECS, same

import symbp
from symbp.derive.chains import closed_gradients
from symbp.ir import name_of, variables
from symbp.pipeline import emit

GENERATED = ROOT / "generated"
GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in SPECS.glob("*.symbp"))


@cache
def derived(name: str) -> symbp.Derivation:
    """Return the derivation of a spec, read by the path that a user types."""
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return symbp.derive(symbp.load(f"specs/{name}.symbp"))
    finally:
        os.chdir(before)


@pytest.mark.parametrize("name", NAMES)
def test_the_module(name: str) -> None:
    same(GENERATED / f"{name}.py", emit(derived(name)))


@pytest.mark.parametrize("name", NAMES)
def test_the_reading(name: str) -> None:
    same(GOLDEN / f"{name}.txt", derived(name).unicode("both", closed_form=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_equations_of_a_paper(name: str) -> None:
    found = derived(name).latex("both", closed_form=True, fragment=True)
    same(GOLDEN / f"{name}.tex", found)


@pytest.mark.parametrize("name", NAMES)
def test_closed_forms_read_what_is_given(name: str) -> None:
    found = derived(name)
    if found.program.is_looped:
        closed = closed_gradients(found)
        assert not closed.missing
        known = {name_of(v) for v in found.program.given}
        known |= {line.name for line in found.program.bindings}  # z and D of 000 (2.3)
        for step in closed.steps:
            assert {name_of(v) for v in variables(step.expr)} <= known, step.name
        return
    for var in found.program.wrt:
        read = variables(found.gradient(name_of(var)).expr)
        assert set(read) <= set(found.program.given), name_of(var)


def test_no_file_is_missing_and_none_is_left_over() -> None:
    assert sorted(path.name for path in GENERATED.iterdir() if path.is_file()) == [
        f"{name}.py" for name in NAMES
    ]
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(
        f"{name}.{ending}" for name in NAMES for ending in ("tex", "txt")
    )
