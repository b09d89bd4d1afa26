"""The sweeps of a module, and which have run when another runs."""

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
