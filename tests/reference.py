"""What a program means, from `evaluate` alone: each example by itself, joined by hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.derive.reading import one_example
from symbp.emit.trial import Trial, trial
from symbp.ir import name_of, symbol
from symbp.ops.evaluate import evaluate
from symbp.program import Program

Values = dict[str, Any]


@dataclass
class Point:
    """A program and values for everything given: per-example arrays with a leading axis."""

    program: Program
    values: Values
    examples: int
    choice: Trial

    @property
    def sizes(self) -> dict[str, int]:
        return {s.name: value for s, value in self.choice.sizes.items()}

    def example(self, k: int, program: Program | None = None) -> Values:
        """Return the values of one example, every line computed."""
        program = program or self.program
        values = {name_of(v): self._one(v, k) for v in program.given}
        for binding in program.bindings:
            values[binding.name] = evaluate(binding.expr, values, sizes=self.sizes)
        return values

    def _one(self, var: Any, k: int) -> Any:
        value = self.values[name_of(var)]
        if not symbol(var).batched:
            return value
        value = value[k] if k < len(value) else np.zeros(value.shape[1:], value.dtype)
        if symbol(var).encoding == "one_hot":
            return np.eye(self._dims(var)[-1])[int(value)]
        return value

    def _dims(self, var: Any) -> list[int]:
        return [d if isinstance(d, int) else int(d.subs(self.choice.sizes)) for d in var.shape]

    def arguments(self, module: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the arguments of the module's `loss`: parameters and data."""
        program = self.program
        params = module.Params(*(self.values[name_of(v)] for v in program.params))
        given = (*program.inputs, *program.consts, *program.targets)
        return params, tuple(self.values[name_of(v)] for v in given)

    def forward(self, module: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the arguments of the module's `forward`."""
        params, data = self.arguments(module)
        return params, data[: len(self.program.inputs) + len(self.program.consts)]


def point(program: Program, examples: int = 3, seed: int = 0) -> Point:
    """Draw a point at which every line is moderate, as the emitter's own samples are drawn."""
    choice, rng = trial(program), np.random.default_rng(seed)
    sizes = {name: choice.sizes[s] for s in choice.sizes for name in [s.name]}
    made = Point(program, {}, examples, choice)
    for var in program.given:
        dims, one_hot = made._dims(var), symbol(var).encoding == "one_hot"
        lead = [examples] if symbol(var).batched else []
        if one_hot:
            made.values[name_of(var)] = rng.integers(0, dims[-1], lead)
            continue
        value = (
            rng.uniform(0.5, 1.5, lead + dims)
            if choice.law == "positive"
            else rng.standard_normal(lead + dims)
        )
        made.values[name_of(var)] = value / max(dims[1:], default=1) ** 0.5
    assert sizes == made.sizes
    return made


def loss_by_hand(
    at: Point, terms: list[tuple[str, bool]], program: Program, reduction: str
) -> float:
    """Return the loss of the batch: terms of the examples joined, the others once.

    `program` has a line `term_k` for each term.
    """
    each = [at.example(k, program) for k in range(max(at.examples, 1))]
    total = 0.0
    for k, (_, batched) in enumerate(terms):
        found = [float(values[f"term_{k}"]) for values in each]
        if not batched:
            total += found[0]
        elif at.examples:
            total += sum(found) / (at.examples if reduction == "mean" else 1)
    return total


def run_steps(derivation: Derivation, values: Values, sizes: dict[str, int]) -> Values:
    """Evaluate every line of the derivation for one example; hold each rule against its line.

    `values` holds what is given and the tangents of what moves.
    """
    values = dict(values)
    result = name_of(derivation.program.result)
    for step in derivation.steps:
        found = evaluate(one_example(step.expr), values, sizes=sizes)
        rule = evaluate(one_example(step.rule), values, sizes=sizes)
        close(rule, found, f"rule of {step.name}")
        if step.paths:
            total = sum(evaluate(one_example(p.term), values, sizes=sizes) for p in step.paths)
            close(total, found, f"paths of {step.name}")
        values[step.name] = found
        if step.name == result:
            values.setdefault(f"{result}_bar", np.ones_like(found))
    return values


def close(ours: Any, truth: Any, what: str = "", tolerance: float = 1e-9) -> None:
    """Assert equality relative to the largest entry."""
    ours, truth = np.asarray(ours), np.asarray(truth)
    assert ours.shape == truth.shape, (what, ours.shape, truth.shape)
    scale = max(1.0, float(np.max(np.abs(truth), initial=0)))
    worst = float(np.max(np.abs(ours - truth), initial=0))
    assert worst <= tolerance * scale, (what, worst, ours, truth)
