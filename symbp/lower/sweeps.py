"""The sweeps of a module, and which have run when another runs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symbp.ir import Expr, holder, symbol
from symbp.ops.linear import zeros
from symbp.program import Binding, Loop

Sweeps = dict[str, tuple[Binding, ...]]
BEFORE = {
    "primal": (),
    "loss": ("primal",),
    "tangent": ("primal",),
    "loss_dot": ("primal", "loss", "tangent"),
    "loss_bar": ("primal", "loss"),
    "head_bar": ("primal",),
    "adjoint": ("primal",),
    "inputs_bar": ("primal", "adjoint"),
    "loss_bar_dot": ("primal", "loss", "tangent", "loss_bar"),
    "adjoint_dot": ("primal", "tangent", "adjoint"),
}
"""The sweeps that have run whenever a sweep runs."""


@dataclass(frozen=True)
class Entry:
    """An adjoint that comes from outside the shared sweep.

    seed: its variable.  by_loss, by_output: whether the loss gives it a value, and whether the
    output's seed does; zero otherwise.
    """

    seed: Expr
    by_loss: bool
    by_output: bool


_SEED = re.compile(r"_(bar|penalty|direct)$")
"""What the name of an adjoint, or of what the loss adds to one, has behind that of its variable."""


def completed(
    lines: Iterable[Binding], wanted: Iterable[Expr], families: Mapping[str, Loop]
) -> tuple[Binding, ...]:
    """Add a line of zeros for each wanted adjoint, or tangent of one, that no line gives.

    families: the ranges of what is given as families, whose adjoints have a line for each member.
    """
    made = [*lines]
    have = {holder(line.target) for line in made}
    for var in wanted:
        if holder(var) not in have:
            of = _SEED.sub("", symbol(var).of)
            own = families.get(of) if symbol(var).index else None
            made.append(Binding(var, zeros(*var.shape), loops=(own,) if own else ()))
    return tuple(made)
