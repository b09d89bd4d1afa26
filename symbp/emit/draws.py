"""How a parameter's first value is drawn, as code: a call, and the small function that it calls."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

import sympy as sp

from symbp.errors import SymbpError
from symbp.program import Init

_WORDS = {
    "he": "He",
    "xavier": "Xavier",
    "lecun": "LeCun",
    "auto": "derived",
    "orthogonal": "orthogonal",
    "sparse": "sparse",
    "lsuv": "orthogonal (LSUV)",
    "uniform": "uniform",
    "normal": "normal",
    "zero": "zero",
}

_VARIANCES = {
    "he": "2 / {fan_in}",
    "xavier": "2 / ({fan_in} + {fan_out})",
    "lecun": "1 / {fan_in}",
    "sparse": "1 / {fan_in}",
}
"""The variance of an entry where the spec gives none: He 2015, Glorot 2010, LeCun 1998."""


def words(inits: Iterable[Init]) -> str:
    """Return what ways there are, each once, as a docstring says them."""
    return ", ".join(_WORDS[kind] for kind in dict.fromkeys(init.kind for init in inits))


class Draws:
    """Writes how parameters are drawn; `inits` are the ways of all of them."""

    def __init__(self, inits: Iterable[Init]) -> None:
        self.scaled = any(i.kind == "orthogonal" and i.variance is not None for i in inits)

    def call(self, init: Init, dims: Sequence[str], name: str) -> str:
        """Return the code that draws a parameter whose axes have these sizes.

        Raises SymbpError for `auto` where its gains were not derived.
        """
        kind, shape = init.kind, ", ".join(dims)
        fan_in, fan_out = (dims[-1], dims[0]) if dims else ("1", "1")
        if kind == "zero" or (kind == "auto" and len(dims) < 2):
            return f"np.zeros({dims[0] if len(dims) == 1 else f'({shape})'}, dtype)"
        if kind == "auto":
            return _compromise(init, fan_in, fan_out, name)
        variance = _VARIANCES.get(kind, "1.0").format(fan_in=fan_in, fan_out=fan_out)
        if kind in ("orthogonal", "lsuv"):
            variance = f"1 / {_largest(dims)}" if self.scaled else ""
        if init.variance is not None:
            variance = str(float(init.variance))
        share = str(float(init.share)) if init.share is not None else ""
        function = kind if kind in ("orthogonal", "sparse", "uniform") else "normal"
        function = "orthogonal" if kind == "lsuv" else function
        return f"{function}({', '.join(filter(None, (share, variance, *dims)))})"

    def functions(self, calls: Iterable[str]) -> list[str]:
        """Return the lines of the functions that some calls need, an empty line around each."""
        called = {call.partition("(")[0] for call in calls}
        called |= {"normal"} if "auto" in called else set()
        texts = {**_FUNCTIONS, **({"orthogonal": _SCALED} if self.scaled else {})}
        made = [("", *text) for name, text in texts.items() if name in called]
        return [line for text in made for line in text] + ([""] if made else [])


def _largest(dims: Sequence[str]) -> str:
    if all(dim.isdigit() for dim in dims):
        return str(max(map(int, dims)))
    return f"max({', '.join(dims)})"


def _compromise(init: Init, fan_in: str, fan_out: str, name: str) -> str:
    """Return the draw with the variance between what keeps values and what keeps adjoints.

    Source: 001 (7.32) and after, with the gains of an activation in place of ½.
    """
    if init.gains is None or None in init.gains:
        what = f"the gains of `init auto` of {name} are not derived"
        raise SymbpError(what, "emit the module through `symbp.emit` or `symbp.compile`")
    forward, backward = map(_exact, init.gains)
    if isinstance(forward, float) or isinstance(backward, float):
        gains = f"{float(forward)!r}, {float(backward)!r}"
        return f"auto({gains}, {fan_out}, {fan_in})"
    if forward + backward == 0:
        what = f"no variance of {name} keeps anything: the activations around it are flat"
        raise SymbpError(what, "choose another `init`, such as `init lecun`")
    scale = lcm(forward.denominator, backward.denominator)
    parts = [2 * scale, int(forward * scale), int(backward * scale)]
    above, before, behind = (part // gcd(*parts) for part in parts)
    terms = [(before, fan_in), (behind, fan_out)]
    below = [fan if factor == 1 else f"{factor} * {fan}" for factor, fan in terms if factor]
    whole = " + ".join(below)
    whole = f"({whole})" if " " in whole else whole
    return f"normal({above} / {whole}, {fan_out}, {fan_in})"


def _exact(gain: sp.Expr | Fraction | float) -> Fraction | float:
    """Return a gain as a fraction where it is one, else as a float."""
    number = sp.sympify(gain, strict=True)
    return Fraction(int(number.p), int(number.q)) if number.is_Rational else float(number)


_FUNCTIONS = {
    "normal": (
        "def normal(variance: float, *shape: int) -> Array:",
        "    return np.asarray(rng.standard_normal(shape) * np.sqrt(variance), dtype)",
    ),
    "auto": (
        "def auto(forward: float, backward: float, rows: int, columns: int) -> Array:",
        "    return normal(2 / (forward * columns + backward * rows), rows, columns)",
    ),
    "uniform": (
        "def uniform(variance: float, *shape: int) -> Array:",
        "    return np.asarray(rng.uniform(-1, 1, shape) * np.sqrt(3 * variance), dtype)",
    ),
    "sparse": (
        "def sparse(share: float, variance: float, rows: int, columns: int) -> Array:",
        "    count = max(1, round(share * columns))  # of each row that are not zero",
        "    drawn = rng.standard_normal((rows, count)) * np.sqrt(variance * columns / count)",
        "    matrix = np.zeros((rows, columns))",
        "    matrix[:, :count] = drawn",
        "    return np.asarray(rng.permuted(matrix, axis=1), dtype)",
    ),
    "orthogonal": (
        "def orthogonal(rows: int, columns: int) -> Array:",
        "    tall = rng.standard_normal((max(rows, columns), min(rows, columns)))",
        "    q, r = np.linalg.qr(tall)",
        "    q *= np.sign(np.diagonal(r))",
        "    return np.asarray(q if rows >= columns else q.T, dtype)",
    ),
}
"""The functions inside `init_params`, in order."""

_SCALED = (
    "def orthogonal(variance: float, rows: int, columns: int) -> Array:",
    "    tall = rng.standard_normal((max(rows, columns), min(rows, columns)))",
    "    q, r = np.linalg.qr(tall)",
    "    q *= np.sign(np.diagonal(r)) * np.sqrt(variance * max(rows, columns))",
    "    return np.asarray(q if rows >= columns else q.T, dtype)",
)
"""The one where some spec asks for a variance: without it, an entry has 1 / max(rows, columns)."""
