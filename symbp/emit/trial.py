"""A point at which a program can be tried: sizes for symbols, and where to draw values.

log, sqrt and 1/x want positive values, det and inverse matrices of full rank, and XᵀX wants X tall.
So a few plain choices are tried, and the first at which every line is finite and moderate is taken;
for √(xᵀ S⁻¹ x) S has to be positive definite.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Literal, TypeAlias

import numpy as np
import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, name_of, size_symbol, size_value, symbol, variables, walk
from symbp.ops.evaluate import evaluate
from symbp.ops.formula import Array
from symbp.ops.kinds import Nonlinear
from symbp.ops.matrix import DETERMINANT, INVERSE, LOG_DETERMINANT
from symbp.ops.unroll import written_out
from symbp.program import Program
from symbp.sizes import size_member

_MODERATE = 1e6  # beyond, differences of values say little about a derivative


Law: TypeAlias = Literal["normal", "positive", "definite"]
LAWS: tuple[Law, ...] = ("normal", "positive", "definite")


@dataclass(frozen=True)
class Trial:
    """Numbers for all symbolic sizes, and how values are drawn.

    law: "normal"; "positive", from (0.5, 1.5); "definite", normal but for square matrices, which
    are positive definite.
    """

    sizes: dict[sp.Symbol, int]
    law: Law


def trial(program: Program, seed: int = 0) -> Trial:
    """Return the first choice at which every line of the program is finite and moderate."""
    if program.families or any(line.loops for line in program.bindings):
        return _looped(program, seed)
    choices = list(_choices(program))
    for choice in choices:
        if all(_is_moderate(program, choice, seed + k) for k in range(3)):
            return choice
    return choices[0]


def _looped(program: Program, seed: int) -> Trial:
    """Return a choice for a program with loops, from that for its lines written out."""
    for turns in range(DEPTH, 1000):
        places = _lengths(program, turns)
        if places is not None:
            return _at(program, places, seed)
    wanted = " and ".join(f"{bound} ≥ 0" for bound in program.least)
    what = f"no small sizes are found at which every member that is read is there: {wanted}"
    raise SymbpError(what, "read members at places nearer to the ends, or give sizes numbers")


def depths(program: Program, seed: int = 0) -> list[tuple[str, Trial]]:
    """Return choices for other lengths of loops and families, each with what it is called.

    One turn and two, where nothing but ends is left of a loop, and seven.
    """
    found = [(k, _lengths(program, k)) for k in (1, 2, 7)]
    made = []
    for _, places in ((k, p) for k, p in found if p is not None):
        open_ = [s for s in places if program.sizes.get(s.name) is None]
        said = ", ".join(f"{s} = {places[s]}" for s in open_)
        made.append((said, _at(program, places, seed)))
    return made


def _lengths(program: Program, turns: int) -> dict[sp.Symbol, int] | None:
    """Return numbers for the sizes that bounds speak of; None where a member would be missing."""
    dims: list[Dim] = []
    for line in program.bindings:
        dims += [b for loop in line.loops for b in (loop.start, loop.stop)]
        dims += [p for v in (line.target, *variables(line.expr)) for p in symbol(v).index]
    dims += [b for loop in program.families.values() for b in (loop.start, loop.stop)]
    fixed = {size_symbol(n): k for n, k in program.sizes.items() if k is not None}
    free = {s for dim in dims for s in sp.S(dim).free_symbols if s.is_positive and s not in fixed}
    families = [loop.stop - loop.start for loop in program.families.values()]
    bounds = [sp.S(bound) for bound in (*program.least, *families)]
    for order in islice(permutations(sorted(free, key=str)), ORDERS):
        places = {**{s: turns + n for n, s in enumerate(order)}, **fixed}
        if all(bound.subs(places) >= 0 for bound in bounds):
            return places
    return None


def _at(program: Program, places: dict[sp.Symbol, int], seed: int) -> Trial:
    found = trial(written_out(program, places), seed)
    members = {
        size_symbol(f"{name}_{k}"): size_member(name, k)
        for name, loop in program.families.items()
        for k in range(int(size_value(loop.start, places)), int(size_value(loop.stop, places)) + 1)
    }
    sizes = {members.get(s, s): k for s, k in found.sizes.items()}
    return Trial({**sizes, **places}, found.law)


ORDERS = 24
"""How many orders of the sizes are tried, where some must not be above others."""

DEPTH = 3
"""The number of turns that loops are tried with, unless a line reads a later member."""


def _choices(program: Program) -> Iterator[Trial]:
    """Yield sizes that are small and all different, so that no mix-up hides, in both orders."""
    fixed = {size_symbol(name): value for name, value in program.sizes.items()}
    dims: dict[Dim, None] = {}
    for binding in program.bindings:
        for var in variables(binding.expr):
            dims.update(dict.fromkeys(var.shape))
    symbols = dict.fromkeys(s for d in dims if not isinstance(d, int) for s in d.free_symbols)
    symbols.update(dict.fromkeys(fixed))
    free = [s for s in symbols if fixed.get(s) is None]
    known = {s: value for s, value in fixed.items() if value is not None}
    for law in LAWS:
        for order in (free, free[::-1]):
            yield Trial({**known, **{s: k for k, s in enumerate(order, 3)}}, law)


def is_square(var: Expr) -> bool:
    """Tell whether a variable is a square matrix that all examples share."""
    return var.rank == 2 and var.shape[0] == var.shape[1] and not var.batched


def draw(choice: Trial, var: Expr, rng: np.random.Generator) -> Array:
    """Return values for a variable, for one example."""
    shape = [int(size_value(dim, choice.sizes)) for dim in var.shape]
    if choice.law == "definite" and is_square(var):
        root = rng.standard_normal(shape)
        return np.asarray(np.eye(len(root)) + root @ root.T / max(len(root), 1))
    spread = max(shape[1:], default=1) ** 0.5
    drawn: Array = (
        rng.uniform(0.5, 1.5, shape) if choice.law == "positive" else rng.standard_normal(shape)
    )
    folded: Array = (drawn + drawn.T) / 2 if symbol(var).symmetric else drawn
    return np.asarray(folded / spread)


def _is_moderate(program: Program, choice: Trial, seed: int) -> bool:
    rng = np.random.default_rng(seed)
    values = {name_of(v): draw(choice, v, rng) for v in program.given}
    sizes = {symbol.name: value for symbol, value in choice.sizes.items()}
    with np.errstate(all="ignore"):
        try:
            for binding in program.bindings:
                found = np.asarray(evaluate(binding.expr, values, sizes=sizes))
                matrices = [evaluate(m, values, sizes=sizes) for m in _inverted(binding.expr)]
                if not np.all(np.abs(found) < _MODERATE) or any(map(_is_singular, matrices)):
                    return False
                values[binding.name] = found
        except np.linalg.LinAlgError:
            return False
    return True


def _inverted(expr: Expr) -> list[Expr]:
    """Return the matrices whose inverse or determinant an expression takes."""
    names = {op.name for op in (INVERSE, DETERMINANT, LOG_DETERMINANT)}
    found = [part for part in walk(expr) if isinstance(part.op, Nonlinear)]
    return [part.args[0] for part in found if part.op.name in names]


def _is_singular(matrix: Array) -> bool:
    return bool(np.max(np.linalg.cond(matrix), initial=0) > _MODERATE)
