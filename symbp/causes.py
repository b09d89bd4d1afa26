"""Why the gradient of a parameter vanishes or explodes, from the variances derived at the start."""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property

from symbp.errors import SymbpError
from symbp.initialization import Initialization, initialization
from symbp.ir import name_of, symbol
from symbp.moments.choice import Choice
from symbp.moments.numbers import Number, numbers
from symbp.moments.start import start
from symbp.moments.terms import size
from symbp.ops.evaluate import evaluate
from symbp.program import Program


class Causes:
    """Says of a parameter what its gradient comes to along the derived variances.

    sizes: numbers for the program's sizes; what has none is said in nothing.
    """

    def __init__(self, program: Program, sizes: Mapping[str, int]) -> None:
        self.program, self.sizes = program, dict(sizes)

    def __call__(self, name: str) -> str:
        """Return a sentence, nothing where the variances are not derived."""
        choice = self._choice(name)
        if choice is None or self.program.is_looped:
            return ""
        try:
            return self._sentence(choice)
        except SymbpError:
            return ""

    @cached_property
    def found(self) -> Initialization:
        """The derivation, once it is asked for."""
        return initialization(self.program)

    def _choice(self, name: str) -> Choice | None:
        plain = name.replace("[", "_").replace("]", "")
        return next((c for c in self.found.chosen if name_of(c.weight) in (name, plain)), None)

    def _sentence(self, choice: Choice) -> str:
        seconds = self._seconds()
        output = self.found.found.start
        share = seconds[name_of(choice.line)] / seconds[symbol(output).of] if output else math.nan
        if not math.isfinite(share):
            return ""
        factors = [(abs(math.log(f)), f, c) for f, c in self._factors(seconds) if f > 0]
        text = (
            f"Derived at the start: squares of derivatives at {name_of(choice.line)} are "
            f"{share:.1e} times those at the output."
        )
        if not factors:
            return text
        _, factor, worst = max(factors, key=lambda found: found[0])
        weight = name_of(worst.weight)
        return (
            f"{text}  At {weight} alone they are multiplied by {factor:.3g}: its variance is "
            f"{self._spread(worst):.3g}, and {self._kept(worst):.3g} keeps them.  `init auto` "
            "takes the compromise."
        )

    def _seconds(self) -> dict[str, float]:
        """Return E[(∂ℓ/∂v)²] of each line by the line's name."""
        travel, program = self.found.found, self.program
        given = {name_of(v): Number(0.0, 1.0) for v in (*program.inputs, *program.targets)}
        made = numbers(travel, self.sizes, given, seed=Number(0.0, 1.0))
        return {symbol(x.target).of: made[symbol(x.target).name].second for x in travel.backward}

    def _factors(self, seconds: Mapping[str, float]) -> Iterator[tuple[float, Choice]]:
        """Yield by what each weight multiplies squares of derivatives, and the weight."""
        for choice in self.found.chosen:
            before, line = name_of(choice.before), name_of(choice.line)
            if before in seconds and seconds.get(line):
                yield seconds[before] / seconds[line], choice

    def _spread(self, choice: Choice) -> float:
        """Return the variance that the weight starts with."""
        var = next(v for v in self.program.params if name_of(v) == name_of(choice.weight))
        return float(evaluate(start(self.program, var), {}, sizes=self.sizes))

    def _kept(self, choice: Choice) -> float:
        """Return the variance of the weight for which derivatives keep theirs."""
        counted = float(evaluate(size(choice.fan_out), {}, sizes=self.sizes))
        return 1 / (choice.backward.value * counted)
