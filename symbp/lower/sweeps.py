"""The sweeps of a module, and which have run when another runs."""

from dataclasses import dataclass

from symbp.ir import Expr
from symbp.program import Binding

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
