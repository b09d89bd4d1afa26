"""How a parameter starts: `init he`, `init sparse(0.1)`, checked against its shape."""

from fractions import Fraction

from symbp.errors import SpecError, did_you_mean
from symbp.ir import Shape
from symbp.ops.linear import rational
from symbp.program import Init
from symbp.spec import syntax
from symbp.spec.expressions import value
from symbp.spec.names import Scope
from symbp.spec.spelling import spelled

_NONE = (
    0,
    0,
    "no arguments",
    "`init {}`; only `normal`, `uniform` and some others take a variance",
)
_VARIANCE = (1, 1, "its variance", "`init {}(0.01)`")
_TAKEN = {
    "he": _NONE,
    "xavier": _NONE,
    "lecun": _NONE,
    "auto": _NONE,
    "zero": _NONE,
    "normal": _VARIANCE,
    "uniform": _VARIANCE,
    "orthogonal": (0, 1, "a variance or nothing", "`init {0}`, or `init {0}(0.01)`"),
    "sparse": (
        1,
        2,
        "the share that is not zero, and perhaps a variance",
        "`init {0}(0.1)`, or `init {0}(0.1, 0.01)`",
    ),
    "lsuv": _NONE,
}
"""Of each kind: the fewest and the most arguments, what they are, and what to write."""

_OF_MATRICES = {
    "orthogonal": "only a matrix is orthogonal",
    "sparse": "only a matrix has rows to be sparse",
    "lsuv": "only a matrix is scaled by `lsuv`",
}


def init_of(line: syntax.DeclareLine, dims: Shape, scope: Scope) -> Init:
    """Return how the parameters of a line start, which are of this shape.

    Raises SpecError for a kind that is not there, for arguments that it does not take, and where
    it is none for the shape.
    """
    init = line.init
    assert init is not None
    _check_kind(init)
    if init.name in _OF_MATRICES and len(dims) != 2:
        raise SpecError(_OF_MATRICES[init.name], init.span, "write `init normal(1)`")
    if init.name == "sparse" and line.symmetric:
        what = "the rows of a symmetric matrix are not drawn one by one, as `sparse` does"
        raise SpecError(what, init.span, "write `init normal(0.01)`, or leave out `symmetric`")
    if init.name == "sparse":
        share, *rest = init.args
        variance = _variance(rest[0], init.name, scope) if rest else None
        return Init(init.name, variance, _share(share, scope))
    variance = _variance(init.args[0], init.name, scope) if init.args else None
    return Init(init.name, variance)


def _check_kind(init: syntax.Init) -> None:
    """Raise SpecError unless the kind is there and takes as many arguments."""
    if init.name not in _TAKEN:
        near = did_you_mean(init.name, _TAKEN)
        help = f"did you mean `{near}`?" if near else f"write one of {', '.join(_TAKEN)}"
        raise SpecError(f"no parameter starts by `{init.name}`", init.span, help)
    fewest, most, taken, form = _TAKEN[init.name]
    if not fewest <= len(init.args) <= most:
        help = f"write {form.format(init.name)}"
        raise SpecError(f"`{init.name}` takes {taken}", init.span, help)


def _variance(at: syntax.Node, name: str, scope: Scope) -> Fraction:
    variance = rational(value(at, scope).expr)
    if variance is None or variance < 0:
        before = "0.1, " if name == "sparse" else ""
        help = f"write a number from 0, such as `init {name}({before}0.01)`"
        raise SpecError(f"`{spelled(at)}` is no variance", at.span, help)
    return variance


def _share(at: syntax.Node, scope: Scope) -> Fraction:
    share = rational(value(at, scope).expr)
    if share is None or not 0 < share <= 1:
        help = "write a number above 0 and up to 1, such as `init sparse(0.1)`"
        raise SpecError(f"`{spelled(at)}` is no share of a row", at.span, help)
    return share
