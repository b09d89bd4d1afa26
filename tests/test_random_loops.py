"""Programs with loops drawn at random: the loops do what their turns written out do."""

import re
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from loop_programs import Drawn, loop_programs
from readings import assert_reading
from running import CLEAN, assert_clean
from test_random_programs import assert_plain_text, is_rounding
from written_out import Looped, Pair, assert_alike

from symbp.check import certify
from symbp.errors import SymbpError
from symbp.ir import size_symbol, size_value
from symbp.pipeline import emit
from symbp.program import Program

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)


def lengths_of(program: Program) -> list[dict[str, int]]:
    """Return the fewest turns with which every family has a member, and a few more."""
    free = [name for name in ("K", "L") if name in program.sizes]

    def is_enough(turns: int) -> bool:
        places = {size_symbol(name): turns for name in free}
        gaps = [*program.least, *(x.stop - x.start for x in program.families.values())]
        return all(size_value(gap, places) >= 0 for gap in gaps)

    least = next(turns for turns in range(1, 20) if is_enough(turns))
    return [
        {name: least + k for k, name in enumerate(free)},
        {name: least + 3 - k for k, name in enumerate(free)},
    ]


def assert_same(drawn: Drawn) -> None:
    looped = Looped(drawn.text)
    assert_plain_text(emit(looped.derivation))
    for lengths in lengths_of(looped.program):
        pair = Pair(looped, lengths)
        assert_alike(pair, tolerance=1e-9)
        assert_reading(pair, tolerance=1e-8)


@settings(max_examples=15, phases=NO_SHRINK, **QUIET)
@given(loop_programs())
def test_loops_do_what_their_turns_do(drawn):
    assert_same(drawn)


@settings(max_examples=4, phases=NO_SHRINK, **QUIET)
@given(loop_programs())
def test_certificates(drawn):
    rows = certify(Looped(drawn.text).module).failures
    failures = [row for row in rows if not (is_rounding(row) or row.doubtful)]
    assert not failures, "\n".join(row.format() for row in failures)


PLACE = re.compile(r"\[[^\[\]]*\]|\b[1-9]?\.\.K(?:-1)?\b")


@settings(max_examples=40, phases=NO_SHRINK, **QUIET)
@given(loop_programs(), st.data())
def test_a_wrong_place_is_refused_in_words_or_derived(drawn, data):
    places = list(PLACE.finditer(drawn.text))
    found = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([p[0] for p in places] + ["[k+1]", "[K]", "[k-2]", "[0]"]))
    text = drawn.text[: found.start()] + other + drawn.text[found.end() :]
    with suppress(SymbpError):  # nothing else is raised
        emit(Looped(text).derivation)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of modules with loops drawn at random."""
    texts: list[str] = []

    @settings(max_examples=8, derandomize=True, database=None, phases=[Phase.generate], **QUIET)
    @given(loop_programs())
    def collect(drawn):
        texts.append(emit(Looped(drawn.text).derivation))

    collect()
    path = tmp_path_factory.mktemp("drawn")
    for k, text in enumerate(dict.fromkeys(texts)):
        (path / f"drawn_{k}.py").write_text(text)
    return path


@pytest.mark.parametrize("command", CLEAN, ids=" ".join)
def test_drawn_modules_are_clean(folder, command):
    assert_clean(folder, command)
