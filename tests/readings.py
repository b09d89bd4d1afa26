"""The printed lines of a derivation with loops at numbers, against those written out.

The lines are recurrences: which member comes first is found by asking for what a line reads, and
an adjoint or a tangent that no line gives is zero.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from reference import close, run_steps
from written_out import Pair

from symbp.derive.derivation import Step
from symbp.derive.reading import read
from symbp.ir import Expr, name_of, size_value, symbol, variables
from symbp.ops.evaluate import evaluate
from symbp.ops.unroll import unrolled
from symbp.program import Binding

Key = tuple[str, str]
"""What a variable is, "" for a value, and the name that it is this of."""


def key(var: Expr) -> Key:
    """Return what a variable is, however its name is spelt."""
    op = symbol(var)
    return (op.role, op.of) if op.role in ("tangent", "adjoint") else ("", op.name)


class Lines:
    """Lines at numbers, each evaluated when it is first asked for."""

    def __init__(self, lines: Iterable[Binding], known: dict[Key, Any], sizes: dict[str, int]):
        self.lines: dict[Key, Binding] = {}
        self.known, self.sizes = dict(known), sizes
        for line in lines:
            assert key(line.target) not in self.lines, f"{line.name} has two lines"
            self.lines[key(line.target)] = line

    def value(self, var: Expr, asking: tuple[Key, ...] = ()) -> Any:
        """Return the value of a variable; a line that reads itself is an error."""
        wanted = key(var)
        assert wanted not in asking, f"{wanted} reads itself"
        if wanted not in self.known:
            line = self.lines.get(wanted)
            if line is None:
                assert wanted[0], f"{wanted[1]} has no line"
                found = np.zeros(self._dims(var))
            else:
                read = variables(line.expr)
                values = {name_of(v): self.value(v, (*asking, wanted)) for v in read}
                found = evaluate(line.expr, values, sizes=self.sizes)
            self.known[wanted] = found
        return self.known[wanted]

    def _dims(self, var: Expr) -> list[int]:
        return [d if isinstance(d, int) else self.sizes[str(d)] for d in var.shape]


def assert_reading(pair: Pair, seed: int = 0, tolerance: float = 1e-10) -> None:
    """Assert that every line a reader sees has the value that it has when all is written out."""
    known, truth = _written_out(pair, seed)
    reading = read(pair.looped.derivation)
    sweeps = (reading.primal, reading.adjoint, reading.tangent)
    given = {name_of(v) for v in pair.program.given}
    theirs = given | {line.name for line in pair.program.bindings}
    steps = [line for sweep in sweeps for line in _at_numbers(sweep, pair)]
    lines = Lines(steps, known, pair.sizes)
    for line in steps:
        role, name = what = key(line.target)
        if name in theirs and (what in truth or name in given):
            wanted = truth.get(what, np.zeros_like(known.get(("", name), 0.0)))
            close(lines.value(line.target), wanted, f"{role} {name}".strip(), tolerance)
    for (role, name), wanted in truth.items():
        if role == "adjoint" and name in given and (role, name) not in lines.lines:
            close(np.zeros_like(wanted), wanted, f"adjoint of {name}", tolerance)


def _at_numbers(sweep: Sequence[Step], pair: Pair) -> list[Binding]:
    return unrolled([step.binding for step in sweep], pair.places)


def _written_out(pair: Pair, seed: int) -> tuple[dict[Key, Any], dict[Key, Any]]:
    """Return what is given, and the value of every line of the program written out."""
    derivation, rng = pair.derivation, np.random.default_rng(seed)
    values: dict[str, Any] = {}
    known: dict[Key, Any] = {}
    for var in derivation.program.given:
        dims = [int(size_value(dim, pair.places)) for dim in var.shape]
        value = rng.standard_normal(dims)
        if symbol(var).encoding == "one_hot":
            value = np.eye(dims[-1])[rng.integers(0, dims[-1])]
        name = name_of(var)
        known["", name], known["tangent", name] = value, rng.standard_normal(dims)
        values[name], values[f"{name}_dot"] = value, known["tangent", name]
    found = run_steps(derivation, values, pair.sizes)
    truth = {key(step.target): found[step.name] for step in derivation.steps}
    result = derivation.program.result
    if derivation.program.loss is None:
        known["adjoint", name_of(result)] = np.ones_like(found[name_of(result)])
    return known, truth
