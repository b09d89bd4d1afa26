"""A proof as rows of equations: one left side, and below it the chain of what it is equal to."""

from symbp.derive.proof import Equation, Proof
from symbp.emit.article import Format, Line, Row, laid_out
from symbp.emit.entries import by_case, entry, whole
from symbp.emit.layout import Entries, Layout
from symbp.emit.math import Style, writer
from symbp.emit.names import Names
from symbp.emit.pieces import BREAK


def proof_rows(proof: Proof, format: Format, names: Names) -> tuple[Row, ...]:
    """Return the rows of a proof; a step that would print what stands there already is left out.

    What no matrix expression says is said of its entries alone.
    """
    style: Style = "unicode" if format == "unicode" else "latex"
    write = writer(style, names)
    lines: list[Line] = []
    before, last = "", ""
    for equation in proof.equations:
        layouts = sides_of(equation, proof.letters)
        if layouts is None:
            continue
        left, right = write(layouts[0]).replace(BREAK, " "), write(layouts[1])
        if left == before and right == last and not equation.alone:
            continue
        head = "" if left == before and not equation.alone else left
        lines.append(Line(head, right, equation.reason, loops=equation.loops))
        before, last = left, right
    return laid_out(lines, format)


def sides_of(equation: Equation, letters: tuple[str, ...]) -> tuple[Layout, Layout] | None:
    """Return the layouts of an equation's sides; None for what no matrix expression says."""
    if equation.labels is None:
        right = whole(equation.right)
        return None if isinstance(right, Entries) else (whole(equation.left), right)
    labels = equation.labels
    left = entry(equation.left, labels, letters)
    read = by_case if equation.cases else entry
    return left, read(equation.right, labels, letters)
