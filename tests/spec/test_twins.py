"""Names that are printed alike are refused; all others may stand side by side."""

import pytest
import sympy as sp

from symbp.errors import SpecError, SymbpError
from symbp.spec import expression, parse
from symbp.spec.from_sympy import from_sympy
from symbp.spec.twins import twins


@pytest.mark.parametrize(
    ("one", "other"),
    [("f1", "f_1"), ("W2_in", "W_2_in"), ("x_1_hat", "x_hat_1"), ("beta1", "beta_1")],
)
def test_names_printed_alike_are_told(one: str, other: str) -> None:
    assert twins(["a", one, "b", other]) == (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("f_0_1", "f_01"), ("foo_1_hat", "foo_hat_1"), ("f", "f_1"), ("_1", "1_"), ("f1g", "f_1g")],
)
def test_other_names_stay(one: str, other: str) -> None:
    assert twins([one, other]) is None


def test_the_error_points_at_the_second_name() -> None:
    with pytest.raises(SpecError, match="`f1` and `f_1` are printed alike") as caught:
        parse("param f1\nf_1 = f1^2\nloss = f_1")
    assert (caught.value.span.line, caught.value.span.column) == (2, 1)


def test_members_of_a_family_count() -> None:
    with pytest.raises(SpecError, match="`b2` and `b_2` are printed alike"):
        parse("param b2, b[1..3]\nloss = b2 * b[1]")


def test_the_other_doors_refuse_them_too() -> None:
    with pytest.raises(SymbpError, match="printed alike"):
        expression("a1 * a_1")
    with pytest.raises(SymbpError, match="printed alike"):
        from_sympy(sp.Symbol("a1") * sp.Symbol("a_1"))
