"""`symbp.diff` in the place of `expr.diff`: SymPy where it is right, differences everywhere.

SymPy's layout: the axes of the variable stand before those of the expression (of the last
variable first), and axes of size 1 are left out.  So a gradient has the shape of its variable, as
here, and the derivative of a vector by a vector is the transpose of the Jacobian.  Here the axes of
the expression come first, then those of each variable in turn.

SYMBP_UPDATE=1 pytest tests/test_sympy_parity.py writes the table of the page anew.
"""

import ast
import os
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
import sympy_cases
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy_cases import INDICES, MORE, OWN, PLAIN, POINT, WRONG
from sympy_values import sympy_value

import symbp

PAGE = Path(__file__).parents[1] / "docs" / "sympy.md"
VERSION = "1.14"
ANSWERED = OWN + MORE
CASES = [*ANSWERED, *PLAIN, *(case[:-1] for case in WRONG)]
KNOWN = pytest.mark.skipif(
    not sp.__version__.startswith(VERSION), reason=f"what SymPy {VERSION} answers"
)
STEP, WEIGHTS = 1e-3, {1: 8, -1: -8, 2: -1, -2: 1}
"""Differences of the fourth order."""


def shown(case):
    return ", ".join(map(str, case))[:70].replace("\n", " ")


def point(variables):
    """Return the values of all names: those of indices where an element is a variable."""
    return POINT | (INDICES if any(isinstance(v, MatrixElement) for v in variables) else {})


def array(expr, values):
    """Return rows and columns of a scalar or matrix."""
    made = np.asarray(sympy_value(expr, values), float)
    return made if made.ndim == 2 else made.reshape(1, 1)


def differences(function, variable, values):
    """Return the derivative of a function of the values, the axes of the variable last."""
    if isinstance(variable, MatrixElement):
        name, shape = variable.parent.name, ()
        places = [tuple(int(sympy_value(index, values)) for index in variable.indices)]
    else:
        name, shape = variable.name, np.shape(values[variable.name])
        places = list(np.ndindex(shape))
    entries = []
    for place in places:
        found = 0.0
        for steps, weight in WEIGHTS.items():
            moved = np.array(values[name], float)
            moved[place] += steps * STEP
            found = found + weight * function({**values, name: moved})
        entries.append(found / (12 * STEP))
    made = np.stack(entries, -1)
    return made.reshape(made.shape[:-1] + shape)


def truth(expr, variables, values):
    """Return the derivative by differences, rows and columns of everything, the value's first."""

    *before, last = variables
    function = partial(truth, expr, before) if before else partial(array, expr)
    return differences(function, last, values)


def close(ours, theirs, tolerance=1e-7):
    """Tell whether two arrays are equal without their axes of size 1."""
    ours, theirs = np.squeeze(ours), np.squeeze(theirs)
    scale = max(1.0, float(np.max(np.abs(theirs), initial=0)))
    return ours.shape == theirs.shape and bool(np.all(np.abs(ours - theirs) <= tolerance * scale))


def given(derivative, values):
    """Return the arguments of `.numpy`, which may not be written to."""
    names = {expr.op.name for expr in derivative.program.given}
    arrays = {name: np.array(values[name], float) for name in names}
    for each in arrays.values():
        each.setflags(write=False)
    return arrays | {name: int(values[name]) for name in derivative._function.sizes}


def sympys(expr, variables):
    """Return what SymPy answers, as an expression; what it raises, it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for variable in variables:  # `expr.diff(X, X)` counts, and fails where this does not
            expr = expr.diff(variable)
        return expr


def sympys_layout(derivative, variables):
    """Return a derivative, rows and columns of everything, in SymPy's order of the axes."""
    ranks = [2 if isinstance(v, sp.MatrixSymbol) else 0 for v in variables]
    groups, first = [(0, 1)], 2
    for rank in ranks:
        groups.append(tuple(range(first, first + rank)))
        first += rank
    return np.transpose(derivative, [axis for group in groups[::-1] for axis in group])


@pytest.mark.parametrize("case", CASES, ids=shown)
def test_numpy_and_sympy_are_the_derivative(case):
    expr, *variables = case
    values = point(variables)
    wanted = truth(expr, variables, values)
    made = symbp.diff(expr, *variables)
    tolerance = 1e-7 if len(variables) == 1 else 1e-4
    ours = made.numpy(**given(made, values))
    assert close(ours, wanted, tolerance), (ours, wanted)
    assert close(sympy_value(made.expr, values), ours, 1e-10), made.expr
    assert made.unicode()
    assert made.latex()
    assert made.words()


@KNOWN
@pytest.mark.parametrize("case", ANSWERED, ids=shown)
def test_sympy_has_the_same_in_its_own_layout(case):
    expr, *variables = case
    values = point(variables)
    made = symbp.diff(expr, *variables)
    sizes = [expr.shape if expr.is_Matrix else (1, 1)]
    sizes += [v.shape for v in variables if isinstance(v, sp.MatrixSymbol)]
    shape = [int(sympy_value(sp.S(size), values)) for pair in sizes for size in pair]
    ours = made.numpy(**given(made, values)).reshape(shape)
    theirs = sympys(expr, variables).doit()
    assert close(sympy_value(theirs, values), sympys_layout(ours, variables), 1e-10), theirs


@KNOWN
@pytest.mark.parametrize("case", WRONG, ids=shown)
def test_sympy_is_wrong_today(case):
    expr, *variables, answer = case
    assert sympys_answer(expr, variables) == answer
    if answer.endswith("Error") or answer.startswith("Derivative("):
        return
    values = point(variables)
    wanted = sympys_layout(truth(expr, variables, values), variables)
    assert not close(sympy_value(sympys(expr, variables), values), wanted)


def sympys_answer(expr, variables):
    """Return SymPy's answer as text, or the name of what it raises."""
    try:
        return str(sympys(expr, variables))
    except Exception as error:
        return type(error).__name__


def written():
    """Return the expressions and variables of `WRONG` as they are written."""
    module = ast.parse(Path(sympy_cases.__file__).read_text(encoding="utf-8"))
    (rows,) = (
        node.value.elts
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WRONG"
    )
    texts = {"EYE": "Identity(k)", "ZEROS": "ZeroMatrix", "ONE": "OneMatrix"}
    for row in rows:
        names = (node for node in ast.walk(row) if isinstance(node, ast.Name))
        for node in names:
            node.id = texts.get(node.id, node.id)
        yield [ast.unparse(element) for element in row.elts[:-1]]


def table():
    """Return the table of the page: the expression, SymPy's answer, ours."""
    rows = ["| expression | by | SymPy | symbp |", "| --- | --- | --- | --- |"]
    for case, (text, *by) in zip(WRONG, written(), strict=True):
        expr, *variables, answer = case
        ours = symbp.diff(expr, *variables).unicode().replace("|", r"\|")
        theirs = f"`{answer}`" if not answer.endswith("Error") else f"raises {answer}"
        rows.append(f"| `{text}` | {', '.join(f'`{v}`' for v in by)} | {theirs} | {ours} |")
    return "\n".join(rows)


@KNOWN
def test_the_page_shows_where_sympy_is_wrong():
    before, line, _ = PAGE.read_text(encoding="utf-8").partition("| expression | by")
    page = f"{before}{table()}\n"
    if os.environ.get("SYMBP_UPDATE") == "1":
        PAGE.write_text(page, encoding="utf-8")
    assert line
    assert PAGE.read_text(encoding="utf-8") == page


SMALL = sp.MatrixSymbol("S", 2, 2), sp.MatrixSymbol("v", 2, 1), sp.MatrixSymbol("G", 2, 2)
S, v, G = SMALL
ARRAYS = [
    (G * S * G, S), (S.T * S, S), (S * v, S), (S.inv() * v, S), (v * v.T, v), (sp.Trace(S) * S, S),
    ((G * S).applyfunc(sp.sin), S), (sp.HadamardProduct(G, S) * v, S), (S, S), (G, S),
    (sp.KroneckerProduct(G, v), v), (v.applyfunc(sp.exp), v, v), (v * v.T * v, v, v),
]  # fmt: skip


@pytest.mark.parametrize("case", ARRAYS, ids=shown)
def test_array_expressions_are_sympys_own(case):
    """`as_explicit` gives entries of which the values are `.numpy`'s."""
    expr, *variables = case
    made = symbp.diff(expr, *variables)
    values = {"S": np.array([[2.0, 0.3], [0.7, 1.5]]), "v": np.array([[0.6], [1.2]])}
    values["G"] = values["S"] @ values["S"] + 1
    entries = {
        symbol[i, j]: values[symbol.name][i, j]
        for symbol in SMALL
        for i, j in np.ndindex(values[symbol.name].shape)
    }
    whole = {symbol: sp.ImmutableMatrix(values[symbol.name]) for symbol in SMALL}
    explicit = made.expr.as_explicit().applyfunc(lambda entry: entry.subs(entries | whole).doit())
    names = [expr.op.name for expr in made.program.given]
    ours = made.numpy(**{name: values[name] for name in names})
    assert close(np.array(explicit.tolist(), float), ours, 1e-10), explicit
