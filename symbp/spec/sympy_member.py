"""Families on the way to SymPy, which has none of matrices: their members become symbols."""

import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, Op, Variable, walk
from symbp.ops.indexed import Chain, Over, When
from symbp.sizes import letter_name

_KINDS: dict[type[Op], str] = {Over: "a sum", Chain: "a product", When: "a bracket"}


def check_members(expr: Expr) -> None:
    """Raise SymbpError where something is said over all members of a family."""
    for part in walk(expr):
        kind = _KINDS.get(type(part.op))
        if kind is not None:
            what = f"SymPy has no expression for {kind} over the members of a family of arrays"
            raise SymbpError(what, "give the length a number: `symbp.unroll(program, K=3)`")


def called(variable: Variable) -> str:
    """Return a name, of a member with its place as it is written: `h[k-1]`."""
    places = ",".join(map(_place, variable.index))
    return f"{variable.name}[{places}]" if places else variable.name


def _place(place: Dim) -> str:
    named = {s: sp.Symbol(letter_name(s)) for s in sp.S(place).free_symbols}
    return str(sp.S(place).xreplace(named)).replace(" ", "")
