"""Laws of lowering: M⁻¹ B is the solution of a system, and one factorisation serves a matrix.

NumPy hands out no factors, so what a matrix is needed for decides what is called once: `solve`
where its inverse meets one right-hand side and nothing else, `inv` where it is read in several
ways; `slogdet` where both its determinant and the logarithm of that are read.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbp.ir import Examples, Expr, Words, node, walk
from symbp.lower.expand import written_in, written_out
from symbp.lower.path import Word, pairs, result_word
from symbp.lower.sweeps import Sweeps
from symbp.ops.kinds import Nonlinear, Solve
from symbp.ops.matrix import DETERMINANT, DETERMINANT_SIGN, INVERSE, LOG_DETERMINANT, TRACE_EXPM
from symbp.ops.pointwise import EXP
from symbp.ops.product import hadamard, product, subproduct
from symbp.ops.rewrite import transform
from symbp.program import Binding


def solved(sweeps: Sweeps, kept: Collection[str]) -> Sweeps:
    """Return the sweeps with systems solved and determinants paired; `kept` lines must stay."""
    while any(INVERSE.name in b.expr.kinds for lines in sweeps.values() for b in lines):
        chosen = _once(_opened(sweeps, kept, None))
        if not chosen:
            break
        opened = _opened(sweeps, kept, chosen)
        sweeps = {
            sweep: tuple(b.saying(_with_systems(b.expr, chosen)) for b in lines)
            for sweep, lines in opened.items()
        }
    return _paired(sweeps)


def _is(expr: Expr, op: Nonlinear) -> bool:
    return isinstance(expr.op, Nonlinear) and expr.op.name == op.name


def _opened(sweeps: Sweeps, kept: Collection[str], only: Collection[str] | None) -> Sweeps:
    """Write lines that are an inverse into those that read them; `only` says which, None all."""

    def goes(expr: Expr) -> bool:
        return _is(expr, INVERSE) and (only is None or expr.digest in only)

    return written_in(sweeps, kept, goes)


def _once(sweeps: Sweeps) -> dict[str, str]:
    """Return the inverses that are read in one way only, and the solution of a system that is."""
    ways: dict[str, list[str]] = {}
    for part in (part for lines in sweeps.values() for line in lines for part in _parts(line)):
        for k, arg in enumerate(part.args):
            if _is(arg, INVERSE):
                found = [system.solution.digest for system in _systems(part, k)]
                known = ways.setdefault(arg.digest, found)
                ways[arg.digest] = [digest for digest in known if digest in found]
    return {inverse: found[0] for inverse, found in ways.items() if found}


def _parts(line: Binding) -> list[Expr]:
    """Return the parts of a line; an inverse that is all of it is read by the line itself."""
    whole = [node(Examples(), line.expr)] if _is(line.expr, INVERSE) else []
    return [*walk(line.expr), *whole]


def _with_systems(expr: Expr, chosen: Mapping[str, str]) -> Expr:
    def change(part: Expr) -> Expr | None:
        for k, arg in enumerate(part.args):
            wanted = chosen.get(arg.digest) if _is(arg, INVERSE) else None
            for system in _systems(part, k) if wanted else []:
                if system.solution.digest == wanted:
                    return change(system.whole) or system.whole
        return None

    return transform(expr, change)


@dataclass(frozen=True)
class _System:
    """The solution of a system, and the whole product with it in place of the inverse."""

    solution: Expr
    whole: Expr


def _systems(part: Expr, position: int) -> list[_System]:
    """Return M⁻¹ B for an inverse in a product, B what the cheapest order multiplies it with.

    Between two vectors it may be either: there are two then.  None where it meets nothing that is
    summed along one of its axes alone.
    """
    op = part.op
    if not isinstance(op, Words) or len(set(op.words[position])) < len(op.words[position]):
        return []
    row, column = op.words[position][-2:]
    sides = dict.fromkeys(_side(op, position, letter) for letter in (column, row))
    found = [_system(part, op, position, side) for side in sides]
    return [system for system in found if system is not None]


_Side: TypeAlias = tuple[tuple[int, ...], Word]


def _system(part: Expr, op: Words, position: int, side: _Side) -> _System | None:
    """Return the system whose right-hand side are some factors, `side` with the letters it has."""
    (members, letters), word = side, op.words[position]
    lead, (row, column) = word[:-2], word[-2:]
    others = [(part.args[k], w) for k, w in enumerate(op.words) if k not in (position, *members)]
    later = {*op.out, *(i for _, w in others for i in w)}
    rest = [i for i in letters if i not in lead]
    summed = next((i for i in (column, row) if i in rest and i not in later), None)
    if summed is None or not set(lead) <= set(letters):
        return None
    rest.remove(summed)
    free = row if summed == column else column
    if len(rest) > 1 and (lead or free in rest):
        return None
    ordered = (*lead, *rest[:-1], summed, *rest[-1:])
    right = product([(part.args[k], op.words[k]) for k in members], ordered)
    matrix = part.args[position].args[0]
    solution = node(Solve(), matrix if summed == column else _turned(matrix), right)
    others.append((solution, tuple(free if i == summed else i for i in ordered)))
    return _System(solution, subproduct(others, op.out, op.dims))


def _side(op: Words, position: int, letter: int) -> _Side:
    """Return the factors that an inverse is multiplied with as one, and the letters they keep.

    Of equally cheap orders the one in which they have the letter.
    """
    found = [k for k, word in enumerate(op.words) if word or k == position]
    found.sort(key=lambda k: (k != position, letter not in op.words[k]))
    words = [op.words[k] for k in found]
    members: list[tuple[int, ...]] = [(k,) for k in found]
    out = tuple(dict.fromkeys(op.out))
    for pair in pairs(words, out, dict(enumerate(op.dims))):
        one, other = (members[k] for k in pair)
        if (position,) in (one, other):
            mine = pair[0] if other == (position,) else pair[1]
            return members[mine], words[mine]
        kept = [
            (w, m) for k, (w, m) in enumerate(zip(words, members, strict=True)) if k not in pair
        ]
        made = result_word(words[pair[0]], words[pair[1]], [w for w, _ in kept], out)
        words, members = [*(w for w, _ in kept), made], [*(m for _, m in kept), (*one, *other)]
    return (), ()


def _turned(matrix: Expr) -> Expr:
    """Return the transpose of a matrix, of each of a stack."""
    lead = tuple(range(matrix.rank - 2))
    row, column = len(lead), len(lead) + 1
    return product([(matrix, (*lead, row, column))], (*lead, column, row))


def _paired(sweeps: Sweeps) -> Sweeps:
    """Write det as sign · exp(logdet) where a sweep reads both, tr expm as a trace."""
    both = {digest for lines in sweeps.values() for digest in _with_both(lines)}

    def change(part: Expr) -> Expr | None:
        if _is(part, TRACE_EXPM):
            return written_out(part)  # beside expm itself, which its gradient reads
        if not _is(part, DETERMINANT) or part.args[0].digest not in both:
            return None
        assert isinstance(part.op, Nonlinear)
        leading = part.op.leading
        sign, size = (
            node(replace(op, leading=leading), *part.args)
            for op in (DETERMINANT_SIGN, LOG_DETERMINANT)
        )
        return hadamard(sign, node(EXP, size))

    among = (DETERMINANT.name, TRACE_EXPM.name)
    return {
        sweep: tuple(line.saying(transform(line.expr, change, among)) for line in lines)
        for sweep, lines in sweeps.items()
    }


def _with_both(lines: Iterable[Binding]) -> set[str]:
    """Return the matrices of which lines read both the determinant and its logarithm."""
    parts = [part for line in lines for part in walk(line.expr)]
    found = [
        {part.args[0].digest for part in parts if _is(part, op)}
        for op in (DETERMINANT, LOG_DETERMINANT)
    ]
    return found[0] & found[1]
