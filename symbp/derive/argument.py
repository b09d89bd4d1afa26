"""The proofs that a derivation rests on: one for each kind of step, in the user's own names."""

from dataclasses import dataclass

from symbp.derive.derivation import Derivation
from symbp.derive.partial import kind, partial
from symbp.derive.proof import Proof, prove
from symbp.derive.reading import for_one_example, read
from symbp.ir import Expr, name_of, symbol, variable, variables
from symbp.program import Binding


@dataclass(frozen=True)
class Argument:
    """A proof and the derivatives that are found in the same way, its own first."""

    proof: Proof
    serves: tuple[Expr, ...]


def arguments(derivation: Derivation) -> tuple[Argument, ...]:
    """Return the proofs of the reverse sweep, in the order in which it first needs them."""
    program = derivation.program
    lines = [Binding(step.target, step.expr) for step in read(derivation).primal]
    known = {name_of(v): v for v in (*program.given, *(line.target for line in lines))}
    swept = [symbol(step.target).of for step in for_one_example(derivation).adjoint]
    result = program.result if not program.result.rank else variable(name_of(program.result))
    active = {program.result, *(known[name] for name in swept if name in known)}
    avoid = {*known, *map(str, program.sizes)}
    kinds: dict[tuple[str, ...], list[tuple[Expr, list[Binding]]]] = {}
    for name in swept:
        if name not in known or known[name] is program.result:
            continue
        var = known[name]
        read_by = [x for x in lines if x.target in active and var in variables(x.expr)]
        if read_by:
            key = tuple(f"{line.target is result} {kind(line, var)}" for line in read_by)
            kinds.setdefault(key, []).append((var, read_by))
    found = []
    for same in kinds.values():
        var, read_by = same[0]
        serves = tuple(partial(result, other) for other, _ in same)
        found.append(Argument(prove(read_by, var, result, avoid), serves))
    return tuple(found)
