"""The gains of an activation, to read: closed forms, numbers, and what frameworks take."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symbp.derive.proof import Equation, Proof
from symbp.emit.article import Format
from symbp.emit.document import Section, document
from symbp.emit.math import Names, unicode
from symbp.errors import SymbpError
from symbp.ir import Expr, name_of, variable
from symbp.moments.activation import TABLE, Activation, selu
from symbp.moments.closed import written
from symbp.moments.formula import formula_in
from symbp.moments.gaussian import V
from symbp.moments.known import Known
from symbp.ops.expectation import mean, square, variance
from symbp.ops.formula import Array, evaluate_formula
from symbp.ops.kinds import Z
from symbp.spec import parse

_WORD = re.compile(r"[^\W\d]\w*(?!\w*\s*\()")
_CONSTANTS = {"pi", "π", "euler", "z"}
_FUNCTION = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Gain:
    """An activation with its text; `str` is what is read of it, `latex()` an article."""

    text: str
    activation: Activation
    expr: Expr

    @property
    def forward(self) -> float:
        """E[φ(z)²] at Var[z] = 1: what values are multiplied by."""
        return self.activation.second(1.0)

    @property
    def backward(self) -> float:
        """E[φ′(z)²] at Var[z] = 1: what derivatives are multiplied by."""
        return self.activation.slope_second(1.0)

    def unicode(self) -> str:
        """Return it as text for a terminal."""
        return self.document("unicode")

    def latex(self) -> str:
        """Return it as a LaTeX article."""
        return self.document("latex")

    def markdown(self) -> str:
        """Return it as Markdown."""
        return self.document("markdown")

    def __str__(self) -> str:
        return self.unicode()

    @property
    def title(self) -> str:
        """The activation as text."""
        return f"φ(z) = {unicode(self.expr)}"

    def curves(self, reach: float = 8.0, points: int = 641) -> tuple[Array, Array, Array]:
        """Return z from −reach to reach, φ(z) and φ′(z), each (points,).

        Raises SymbpError where the activation has symbols without a number.
        """
        if self.activation.open:
            what = f"{', '.join(self.activation.open)} has no number"
            raise SymbpError(what, "write the number in its place")
        z = np.linspace(-reach, reach, points)
        formulas = (self.activation.formula, self.activation.slope)
        value, slope = (np.broadcast_to(evaluate_formula(f, {Z: z}), z.shape) for f in formulas)
        return z, value, slope

    def document(self, format: Format) -> str:
        """Return it in a format."""
        return document(f"The gains of {self.title}", self._sections(), format, names=_NAMES)

    def _sections(self) -> list[Section]:
        steps = self._equations()
        made = []
        if steps:
            intro = "Of a normal z with mean zero."
            made.append(Section("In closed form", intro, proof=Proof(steps[0].left, steps, ())))
        if not self.activation.open:
            made.append(Section("At Var[z] = 1", "\n".join(self._numbers())))
            made += self._beside()
        return made

    def _equations(self) -> tuple[Equation, ...]:
        slope = variable("phi_bar", (), "adjoint", of="z")
        of = {"mean": mean(_PHI), "second": mean(square(_PHI)), "slope": mean(square(slope))}
        made = []
        for name, closed in self.activation.closed().items():
            if closed is not None:
                put = {V: variance(_Z)} | {s: variable(s.name) for s in closed.free_symbols - {V}}
                made.append(Equation(of[name], written(closed, put), _LAWS[name]))
        return tuple(made)

    def _numbers(self) -> list[str]:
        ahead, back, first = self.forward, self.backward, self.activation.mean(1.0)
        if not math.isfinite(ahead + back):
            what = f"E[φ(z)²] or E[φ′(z)²] of {self.title} is more than a double holds"
            raise SymbpError(what, "scale it: take smaller numbers in it")
        growth = self.activation.growth(1.0) if ahead else 0.0
        rows = [("E[φ(z)]", f"{first:.12g}" if abs(first) > 1e-12 else "0"),
                ("E[φ(z)²]", f"{ahead:.12g}"), ("E[φ′(z)²]", f"{back:.12g}")]  # fmt: skip
        if ahead:
            rows.append(("gain", f"{ahead**-0.5:.12g} = 1/√E[φ(z)²]"))
            rows.append(("Var[W]", f"{1 / ahead:.6g}/N keeps values, N the units that W reads"))
        if back:
            rows.append(("Var[W]", f"{1 / back:.6g}/N′ keeps derivatives, N′ the units it feeds"))
        both = f"{_factor(ahead)}N + {_factor(back)}N′"
        rows.append(("Var[W]", f"2/({both}) is the compromise"))
        wide = max(len(left) for left, _ in rows)
        lines = [f"    {left:<{wide}} = {right}" for left, right in rows]
        return [*lines, "", _settling(growth)] if ahead else lines

    def _beside(self) -> list[Section]:
        name = self.text.removesuffix("(z)").strip()
        made = []
        if name == "selu":
            made.append(Section("Where λ and α come from", _selu_text()))
        known = TABLE.get("linear" if self.activation.formula == Z else name)
        if known is not None:
            made.append(Section("Beside the table of PyTorch", self._difference(known)))
        return made

    def _difference(self, known: Any) -> str:
        """Return what the usual gain does, and why it is another."""
        usual, own = float(known), self.forward**-0.5
        if abs(usual - own) < 1e-9:
            return f"`calculate_gain` returns {usual:.6g}, the gain above."
        text = f"`calculate_gain` returns {known}, where the gain above is {own:.6g}."
        point = self.activation.fixed_point(usual)
        if point is None:
            factor = usual**2 * self.forward
            return f"{text} With it, Var[z] = 1 is multiplied by {factor:.6g} in each layer."
        back = usual**2 * self.activation.slope_second(point)
        other = self.backward / self.forward
        return (
            f"{text} It is a rule of thumb, no solution of E[(g φ(z))²] = 1: with it the variance "
            f"stays at {point:.6g}, where squares of derivatives are multiplied by {back:.6g} in "
            f"each layer; the derived gain holds Var[z] = 1, where that is {other:.6g}."
        )


_Z, _PHI = variable("z"), variable("phi")
_NAMES = Names(result="phi")
_LAWS = {"mean": "mean", "second": "values", "slope": "derivatives"}


def _factor(value: float) -> str:
    return "" if abs(value - 1) < 1e-12 else f"{value:.6g} "


def _settling(growth: float) -> str:
    """Return whether the variance 1 draws others to it."""
    if abs(growth - 1) < 1e-9:
        return "With that gain every variance stays what it is, not 1 alone."
    fate = "is drawn back to it" if growth < 1 else "is driven away from it"
    return (
        f"With that gain, a variance near 1 {fate}: its distance on a log scale is multiplied by "
        f"{growth:.6g} in each layer."
    )


def _selu_text() -> str:
    scale, alpha = selu()
    rows = [("α", alpha), ("λ", scale)]
    lines = [f"    {name} = {sp.N(value, 15)}" for name, value in rows]
    return "\n".join([
        "With φ(z) = λ z above zero and λ α (e^z − 1) below, E[φ(z)] = 0 gives α, and then "
        "E[φ(z)²] = 1 gives λ (Klambauer et al. 2017):", "", *lines])  # fmt: skip


def gain(text: str) -> Gain:
    """Return the gains of an activation: `relu`, `z * sigmoid(z)`, `leaky_relu(z, alpha)`.

    The text is an expression of the spec language in z; other names in it are symbols.  Raises a
    SymbpError where it is none, or where it does not read z.
    """
    if not isinstance(text, str):
        what = f"an activation is a text, not {type(text).__name__}"
        raise SymbpError(what, 'write one, as "relu" or "z * sigmoid(z)"')
    whole = (
        f"{text.strip()}(z)" if _FUNCTION.fullmatch(text.strip()) and text.strip() != "z" else text
    )
    names = dict.fromkeys(n for n in _WORD.findall(whole) if n not in _CONSTANTS)
    consts = f"const {', '.join(names)}\n" if names else ""
    program = parse(f"input z\n{consts}phi = {whole}\noutput phi\n", filename="activation")
    (line,) = program.bindings
    fixed = {name_of(v) for v in program.consts}
    found = formula_in(
        line.expr, lambda v: Known(fixed=True) if name_of(v) in fixed else Known(normal=True)
    )
    if found is None:
        raise SymbpError(
            f"{text} is no function of z", "write z for the argument, as `z * sigmoid(z)`"
        )
    return Gain(whole, Activation(found[0]), line.expr)
