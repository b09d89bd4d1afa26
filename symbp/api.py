"""What `symbp.derive` returns: a derivation that prints itself and goes back to SymPy."""

from dataclasses import dataclass, fields
from typing import Any

from symbp.derive.dense import GRADIENTS, Wanted
from symbp.derive.derivation import Derivation as Lines
from symbp.derive.derivation import Step
from symbp.derive.reading import closed_form, one_example
from symbp.emit.headings import with_ranges
from symbp.emit.math import MATH, Names, latex, shape_text, unicode
from symbp.errors import SymbpError, did_you_mean
from symbp.ir import Expr, name_of
from symbp.report import Closed, Mode, Page, page_names, text
from symbp.spec.to_sympy import to_sympy

LONGEST = 20_000
"""A gradient of more nodes than these is not written out as one formula."""


@dataclass(frozen=True)
class Formula:
    """An expression: printed as text and LaTeX, or handed to SymPy.

    shape is a tuple of sizes; vectors have one axis and become n × 1 matrices in SymPy.
    """

    expr: Expr
    names: Names

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes of the axes; a gradient has the shape of its variable."""
        return self.expr.shape

    def unicode(self) -> str:
        """Return the formula as a person writes it."""
        return unicode(self.expr, self.names)

    def latex(self) -> str:
        """Return the formula in LaTeX (amsmath, amssymb, bm), without dollar signs."""
        return latex(self.expr, self.names)

    def to_sympy(self) -> Any:
        """Return the formula as a SymPy expression; raises SymbpError where SymPy has no form."""
        return to_sympy(self.expr)

    def __str__(self) -> str:
        return self.unicode()

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex().replace(chr(92) + 'bm{', chr(92) + 'boldsymbol{')}$"


@dataclass(frozen=True)
class Line(Step):
    """A line of a derivation, `target = expr`, with the law that made it."""

    names: Names = MATH

    @classmethod
    def of(cls, step: Step, names: Names) -> "Line":
        """Return a step with the names it is printed in."""
        return cls(**{field.name: getattr(step, field.name) for field in fields(Step)}, names=names)

    @property
    def left(self) -> Formula:
        """The left-hand side: a name, ∂ℓ/∂name, or a tangent."""
        return Formula(self.target, self.names)

    @property
    def right(self) -> Formula:
        """The right-hand side, for one example."""
        return Formula(one_example(self.expr), self.names)

    def unicode(self) -> str:
        """Return the equation and its law as text."""
        beside = with_ranges(shape_text(self.target.shape), self.loops)
        side = " · ".join(filter(None, (self.law, beside)))
        return f"{self.left} {'+=' if self.adds else '='} {self.right}   {side}".rstrip()

    def latex(self) -> str:
        """Return the equation in LaTeX, without dollar signs."""
        return self.aligned("")

    def aligned(self, mark: str = "&") -> str:
        """Return the equation in LaTeX with a mark before its sign, the ranges of loops last."""
        sign = r"\mathrel{+}=" if self.adds else "="
        right = with_ranges(self.right.latex(), self.loops, "latex")
        return f"{self.left.latex()} {mark}{sign} {right}"

    def to_sympy(self) -> Any:
        """Return the right-hand side as a SymPy expression; other lines are symbols in it."""
        return self.right.to_sympy()

    def __str__(self) -> str:
        return self.unicode()

    def _repr_latex_(self) -> str:
        equation = self.latex().replace(chr(92) + "bm{", chr(92) + "boldsymbol{")
        return rf"$\displaystyle {equation}$"


@dataclass(frozen=True)
class Derivation(Lines):
    """A program's derivation in both modes: `gradient("W")`, `steps`, `latex()`, `unicode()`."""

    @classmethod
    def of(cls, lines: Lines) -> "Derivation":
        """Return the derivation of what `derive` found."""
        return cls(**{field.name: getattr(lines, field.name) for field in fields(Lines)})

    @property
    def steps(self) -> tuple[Line, ...]:
        """Every line: the forward pass, forward mode, reverse mode."""
        names = page_names(self.program)
        return tuple(Line.of(step, names) for step in super().steps)

    def gradient(self, name: str) -> Formula:
        """Return ∂result/∂name as one formula in what the program is given.

        Raises SymbpError for a name that is nothing to differentiate by, and where the formula
        would be too long to write: `line(name)` has it in terms of the sweep's other lines.
        """
        whole = closed_form(self, self.line(name).expr, LONGEST)
        if whole is None:
            raise SymbpError(
                f"the gradient of {name} is too long to be one formula",
                f'`line("{name}")` gives it in terms of the other lines',
            )
        return Formula(whole, page_names(self.program))

    def line(self, name: str) -> Line:
        """Return the line ∂result/∂name of the reverse sweep."""
        try:
            return self._line(self.step_of_gradient(name))
        except KeyError:
            known = [name_of(v) for v in (*self.program.given,)]
            known += [b.name for b in self.program.bindings]
            near = did_you_mean(name, known)
            help = f"did you mean `{near}`?" if near else f"its names are {', '.join(known)}"
            raise SymbpError(f"there is no gradient of {name}", help) from None

    def _line(self, step: Step) -> Line:
        return Line.of(step, page_names(self.program))

    def unicode(
        self, mode: Mode = "reverse", *, closed_form: bool = False, wanted: Wanted = GRADIENTS
    ) -> str:
        """Return the derivation as text for a terminal, with the Jacobians or Hessians wanted."""
        return text(self, "unicode", Page(mode, _counted(closed_form), wanted=wanted))

    def latex(
        self,
        mode: Mode = "reverse",
        *,
        closed_form: bool = False,
        fragment: bool = False,
        wanted: Wanted = GRADIENTS,
    ) -> str:
        """Return the derivation as a LaTeX article, or as the equations alone."""
        page = Page(mode, _counted(closed_form), fragment, wanted=wanted)
        return text(self, "latex", page)

    def markdown(
        self, mode: Mode = "reverse", *, closed_form: bool = False, wanted: Wanted = GRADIENTS
    ) -> str:
        """Return the derivation as Markdown with mathematics between dollar signs."""
        return text(self, "markdown", Page(mode, _counted(closed_form), wanted=wanted))

    def __str__(self) -> str:
        return self.unicode()

    def _repr_latex_(self) -> str:
        rows = [line.aligned() for line in self._shown()]
        body = (chr(92) * 2 + "\n").join(rows).replace(chr(92) + "bm{", chr(92) + "boldsymbol{")
        return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"

    def _shown(self) -> list[Line]:
        return [self._line(step) for step in self.adjoint if step.shown]


def _counted(closed_form: bool) -> Closed:
    return "counted" if closed_form else "none"
