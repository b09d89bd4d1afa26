"""Python names for the variables of a program: the user's own, unless they are taken.

A name that is taken (`lambda`, `np`, `params`) gets an underscore, nothing is rejected.
"""

import builtins
import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

import sympy as sp

from symbp.emit.dims import Dims
from symbp.emit.syntax import text
from symbp.ir import Dim, Expr, Variable, holder, is_holder
from symbp.sizes import letter_name

RESERVED = frozenset(
    [
        "np",
        "Array",
        "Labels",
        "Params",
        "ParamsLike",
        "Tape",
        "NamedTuple",
        "Callable",
        "Mapping",
        "Sequence",
        "NDArray",
        "DTypeLike",
        "params",
        "params_dot",
        "tape",
        "tape_dot",
        "saved",
        "saved_dot",
        "bars",
        "loss_bars",
        "grad",
        "grad_dot",
        "pullback",
        "rng",
        "dtype",
        "seed",
        "theta",
        "examples",
        "data",
        "direction",
        "array",
        "shape",
        "name",
        "fun",
        "jac",
        "hessp",
        "init_params",
        "forward",
        "loss",
        "loss_and_grad",
        "loss_and_dot",
        "jvp",
        "vjp",
        "hvp",
        "ravel",
        "unravel",
        "flat",
        "check",
        "sample",
        "as_params",
        "Any",
        "ArrayLike",
        "given",
        "result",
        "draw",
        "normal",
        "orthogonal",
        "uniform",
        "sparse",
        "auto",
        "watch",
        "lsuv",
        "shapes",
        "ends",
        "parts",
        "I",  # these three a formatter's checker takes for 1 and 0
        "O",
        "l",
        "main",
    ]
)


class Identifiers(Mapping[Expr, str]):
    """The Python name of each variable, made when it is first asked for.

    carried: the families of which only one member is there at a time, under the family's name.
    """

    def __init__(
        self, first: Iterable[Expr], sizes: Iterable[str], families: Iterable[str] = ()
    ) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._known: dict[Expr, str] = {}
        self._taken: set[str] = set(RESERVED) | set(keyword.kwlist) | set(dir(builtins))
        self._letters: dict[str, str] = {}
        self.carried: Collection[str] = ()
        self._sizes = {size: self._fresh(size) for size in sizes}
        for var in first:
            self[var]
        self._families = {family: self._fresh(family) for family in families}
        self.count = self._fresh("n")

    def __getitem__(self, var: Expr) -> str:
        """Return the name of a variable; the same name of the batch and of one example."""
        op = var.op
        assert isinstance(op, Variable), var
        if op.index and not is_holder(var):
            whole = self[holder(var)]
            places = ", ".join(map(self.place, op.index))
            return whole if op.name in self.carried else f"{whole}[{places}]"
        key = (op.name, op.role if op.role in ("tangent", "adjoint") else "value")
        if key not in self._names:
            self._names[key] = self._fresh(_renamed.get(op.name, op.name))
        self._known[var] = self._names[key]
        return self._names[key]

    def __iter__(self) -> Iterator[Expr]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def place(self, dim: Dim) -> str:
        """Return the code of a place in a family: `k - 1`."""
        return text(Dims(self.known_sizes(dim)).size(dim))

    def known_sizes(self, *dims: Dim) -> dict[Dim, str]:
        """Return the names of the sizes and letters that places speak of."""
        found = {s for dim in dims for s in sp.S(dim).free_symbols}
        return {s: self.letter(s) if s.is_positive is None else self.size(s) for s in found}

    def letter(self, letter: sp.Symbol) -> str:
        """Return the Python name of the letter of a loop; loops side by side may share one."""
        name = letter_name(letter)
        if name not in self._letters:
            self._letters[name] = self._fresh(name)
        return self._letters[name]

    def size(self, symbol: sp.Symbol) -> str:
        """Return the Python name of a symbolic size."""
        return self._sizes[symbol.name]

    def family(self, name: str) -> str:
        """Return the Python name of a family of parameters, a field of `Params`."""
        return self._families[name]

    def _fresh(self, wanted: str) -> str:
        made = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "v"
        made = f"v{made}" if made[0].isdigit() else made
        while made in self._taken:
            made += "_"
        self._taken.add(made)
        return made


_renamed = {"loss": "value", "loss_dot": "value_dot"}
