"""The constants of a module: what a reader, and the judge, must know of it."""

from collections.abc import Sequence

from symbp.derive.dense import Wanted
from symbp.emit.network import Network
from symbp.emit.text import broken
from symbp.ir import Expr, symbol, walk
from symbp.ops.kinds import Elementwise, Nonlinear
from symbp.program import Program


def is_analytic(program: Program) -> bool:
    """Tell whether the complex step applies: every operation is analytic."""
    parts = (part.op for binding in program.bindings for part in walk(binding.expr))
    return all(op.analytic for op in parts if isinstance(op, Elementwise | Nonlinear))


def network_constants(network: Network) -> list[str]:
    """Return the constants of a network's module that its functions' derivatives depend on."""
    made = [
        f"ANALYTIC = {is_analytic(network.program)}",
        f"FORWARD_ARGS = {len(network.forward_data)}  # of the data, those that forward takes",
        f"INPUTS_DIFFERENTIABLE = {len(network.sweeps['inputs_bar'].results)}",
    ]
    firsts = [f'"{field.name}": {field.first}' for field in network.fields.families]
    if firsts:
        made += broken("FIRST = {", firsts, "}  # the numbers of the families' first members", 0)
    if not has_frozen(network.program):
        return made
    batched, program = network.schedule.batched, network.program
    wrt = set(program.wrt)
    moving = network.fields.chosen(batched(v) for v in program.params if v in wrt)
    return [*made, *_named("MOVING: tuple[str, ...]", moving, "the others are frozen")]


def has_frozen(program: Program) -> bool:
    """Tell whether some parameter is not differentiated by."""
    return not set(program.params) <= set(program.wrt)


def symmetric(program: Program) -> list[Expr]:
    """Return what is given and equals its transpose."""
    return [v for v in program.given if symbol(v).symmetric]


def symmetry(found: Sequence[str], wanted: Wanted) -> list[str]:
    """Return the constants that say which arguments equal their transposes."""
    made = _named("SYMMETRIC", found, "equal to their transposes") if found else []
    return [*made, "BOTH_HALVES = True  # of a gradient by them"] if wanted.both_halves else made


def size_constant(sizes: Sequence[tuple[str, int]]) -> list[str]:
    """Return the constant of the sizes that `sample` takes, where there are any."""
    items = [f'"{name}": {size}' for name, size in sizes]
    tail = "}  # what `sample` takes for them"
    return broken("SIZES: dict[str, Any] = {", items, tail, 0) if sizes else []


def _named(head: str, names: Sequence[str], what: str) -> list[str]:
    """Return the lines of a constant that holds names; `what` is a comment on them."""
    if len(names) < 2:
        return [f"{head} = {names_tuple(names)}  # {what}"]
    return broken(f"{head} = (", [f'"{name}"' for name in names], f")  # {what}", 0)


def names_tuple(names: Sequence[str]) -> str:
    """Return a tuple of names as text, each in quotes."""
    quoted = [f'"{name}"' for name in names]
    return f"({quoted[0]},)" if len(quoted) == 1 else f"({', '.join(quoted)})"
