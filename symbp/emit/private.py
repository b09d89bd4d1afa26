"""The functions of a module that begin with an underscore: sweeps, and fixed texts."""

from collections.abc import Sequence

from symbp.emit.constants import (
    is_analytic,
    symmetric,
)
from symbp.emit.identifiers import Identifiers
from symbp.emit.network import Network
from symbp.emit.sweeps import Function, Sweep
from symbp.ir import Expr, holder

_SWEEP_DOCS = {
    "primal": ("Return the output", "what later sweeps read again"),
    "loss": ("Return the loss", "what its derivatives read again"),
    "tangent": ("Return the tangent of the output", "those that a second sweep reads"),
    "loss_dot": ("Return the tangent of the loss", "those that a second sweep reads"),
    "loss_bar": ("Return the adjoints that the loss gives to what it reads", "others read later"),
    "head_bar": ("Return the adjoint that the output's seed gives to what lies before it", ""),
    "adjoint": ("Return the gradients of the parameters", "the adjoints that later sweeps read"),
    "inputs_bar": ("Return the adjoints of the inputs", ""),
    "loss_bar_dot": ("Return the tangents of the loss's adjoints", ""),
    "adjoint_dot": ("Return the tangents of the gradients: the Hessian times the direction", ""),
}
"""What each sweep returns, and what it keeps besides."""


def private(network: Network, names: Identifiers) -> tuple[list[Function], list[str]]:
    """Return the functions of the sweeps, and the helpers that they call."""
    made, helpers = [], set()
    for name, sweep in network.sweeps.items():
        if not sweep.results and not sweep.keeps:
            continue
        guards = []
        if name == "primal":
            known = list(sweep.groups.get("params", []))
            for var in network.forward_data:
                guards.append(sweep.guard(var, known))
                known.append(var)
        if name == "loss":
            both = {*network.targets, *map(holder, network.targets)}
            known = [v for v in [*sweep.named, *_unpacked(sweep)] if v not in both]
            targets = {holder(v): v for v in network.targets}
            guards = [sweep.guard(targets[v], known) for v in sweep.named if v in targets]
        made.append(sweep.function(_sweep_doc(sweep), guards))
        helpers |= sweep.helpers
    for turns in network.turns:
        made.append(turns.function("Run the turns of a loop from first to last."))
        helpers |= {*turns.helpers, "every"}
    return made, sorted(helpers)


def _sweep_doc(sweep: Sweep) -> str:
    returned, kept = _SWEEP_DOCS[sweep.name]
    return f"{returned}, and {kept}." if sweep.keeps and kept else f"{returned}."


def _unpacked(sweep: Sweep) -> list[Expr]:
    return [v for group in ("tape", "params") for v in sweep.groups.get(group, [])]


def guards_used(functions: Sequence[Function]) -> list[str]:
    """Return the guards that some functions call."""
    bodies = "\n".join(function.body for function in functions)
    callers = {
        "expect": ("_expect(", "_members(", "_family("),
        "numbers": ("_numbers(",),
        "family": ("_family(",),
    }
    return [name for name, calls in callers.items() if any(call in bodies for call in calls)]


def parts(network: Network, helpers: Sequence[str], guards: Sequence[str]) -> list[str]:
    """Return the fixed texts that the module needs, in order."""
    loss = network.loss is not None
    parts = ["in_parts"] if loss and network.takes_parts else []
    made = [*helpers, *guards, *parts, *(["families"] if network.fields.families else []), "ravel"]
    made += ["flat", "check_loss"] if loss else ["check_output"]
    slopes = "complex_step" if is_analytic(network.program) else "differences"
    folding = ["symmetric"] if symmetric(network.program) else []
    return [*made, "check_forward", slopes, "error", *folding]
