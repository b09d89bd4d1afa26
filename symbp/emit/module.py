"""The module of a derivation: views made of strings, for the template to lay out."""

from collections.abc import Sequence
from dataclasses import dataclass

from hashlib import sha256

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.emit.docstring import docstring
from symbp.emit.guards import guard
from symbp.emit.identifiers import Identifiers
from symbp.emit.network import Network
from symbp.emit.parameters import Parameters
from symbp.emit.render import template
from symbp.emit.sweeps import Function
from symbp.ir import Expr, Program, name_of, size_symbol, walk
from symbp.lower.schedule import Schedule, schedule
from symbp.ops.evaluate import evaluate
from symbp.ops.formula import Array
from symbp.ops.kinds import Elementwise

VERSION = "0.1.0"

_SWEEP_DOCS = {
    "primal": "Return the output and what later sweeps read again.",
    "loss": "Return the loss and what its derivatives read again.",
    "tangent": "Return the tangent of the output, and those that a second sweep reads.",
    "loss_dot": "Return the tangent of the loss.",
    "loss_bar": "Return the adjoints that the loss gives to what it reads.",
    "head_bar": "Return the adjoint that the output's seed gives to what lies before it.",
    "adjoint": "Return the gradients of the parameters, and adjoints that later sweeps read.",
    "inputs_bar": "Return the adjoints of the inputs.",
    "loss_bar_dot": "Return the tangents of the loss's adjoints.",
    "adjoint_dot": "Return the tangents of the gradients: the Hessian times the direction.",
}


@dataclass(frozen=True)
class ModuleView:
    """What the template of a module lays out: text, every name and number already in it."""

    docstring: str
    aliases: tuple[str, ...]
    sha256: str
    version: str
    constants: tuple[str, ...]
    fields: tuple[str, ...]
    functions: tuple[Function, ...]
    helpers: tuple[str, ...]
    method: str
    bound: str
    shapes: str
    size_parameters: str
    size_arguments: str
    sized: str
    flat_signature: str
    data_names: str
    first_of_pullback: str


def is_analytic(program: Program) -> bool:
    """Tell whether the complex step applies: every operation is analytic."""
    parts = (part.op for binding in program.bindings for part in walk(binding.expr))
    return all(op.analytic for op in parts if isinstance(op, Elementwise))


def network_text(derivation: Derivation, origin: str) -> str:
    """Return the text of a network's module."""
    lowered = schedule(derivation)
    names = _identifiers(lowered, derivation.program)
    network = Network(lowered, names)
    public = [function for _, function in network.functions()]
    private, helpers = _private(network, names)
    view = _view(derivation, network, names, origin)
    parameters = Parameters(lowered, names, needs_positive(derivation.program))
    samples = parameters.sample(network.data, _sample_sizes(parameters))
    functions = (parameters.init_params(), parameters.as_params(), *public, samples, *private)
    parts = _parts(network, helpers, is_analytic(derivation.program))
    made = ModuleView(**view, functions=functions, helpers=tuple(parts))
    return template("numpy/network.py.jinja").render(module=made)


def _identifiers(lowered: Schedule, program: Program) -> Identifiers:
    given = [lowered.batched(v) for v in program.given]
    lines = [lowered.batched(binding.target) for binding in program.bindings]
    return Identifiers([*given, *lines], list(program.sizes))


def _private(network: Network, names: Identifiers) -> tuple[list[Function], list[str]]:
    """Return the functions of the sweeps, and the helpers that they call."""
    made, helpers = [], set()
    for name, sweep in network.sweeps.items():
        if not sweep.results and not sweep.keeps:
            continue
        guards = []
        if name == "primal":
            known = list(sweep.groups.get("params", []))
            for var in network.forward_data:
                guards.append(guard(var, names, known))
                known.append(var)
        if name == "loss":
            known = [v for v in [*sweep.named, *_unpacked(sweep)] if v not in network.targets]
            guards = [guard(var, names, known) for var in sweep.named if var in network.targets]
        made.append(sweep.function(_SWEEP_DOCS[name], guards))
        helpers |= sweep.helpers
    return made, sorted(helpers)


def _unpacked(sweep: object) -> list[Expr]:
    groups: dict[str, list[Expr]] = sweep.groups  # type: ignore[attr-defined]
    return [v for group in ("tape", "params") for v in groups.get(group, [])]


def _parts(network: Network, helpers: Sequence[str], analytic: bool) -> list[str]:
    """Return the fixed texts that the module needs, in order."""
    loss = network.loss is not None
    made = [*helpers, "expect", "ravel"]
    made += ["flat", "check_loss"] if loss else ["check_output"]
    return [*made, "check_forward", "complex_step" if analytic else "differences", "error"]


def _view(
    derivation: Derivation, network: Network, names: Identifiers, origin: str
) -> dict[str, object]:
    program, analytic = derivation.program, is_analytic(derivation.program)
    parameters = Parameters(network.schedule, names, False)
    data = [names[v] for v in network.data]
    moving = len(network.sweeps["inputs_bar"].results)
    labels = any(v.op.encoding == "one_hot" for v in network.data)  # type: ignore[attr-defined]
    flat = [f"{names[v]}: {'Labels' if v.op.encoding == 'one_hot' else 'Array'}" for v in network.data]  # type: ignore[attr-defined]
    flat += ["*", *(f"{n}: int" for n in parameters.sizes)] if parameters.sizes else []
    kind = "tuple[Callable[[Array], float], Callable[[Array], Array], Callable[[Array, Array], Array]]"
    sizes = _sample_sizes(parameters)
    return {
        "docstring": docstring(derivation, origin, VERSION),
        "aliases": tuple(
            [*(["Labels = NDArray[np.integer]"] if labels else []),
             "Tape = tuple[Array, ...]  # what a sweep keeps for later ones"]
        ),
        "sha256": sha256(program.source.encode()).hexdigest(),
        "version": VERSION,
        "constants": (
            f"ANALYTIC = {analytic}",
            f"FORWARD_ARGS = {len(network.forward_data)}",
            f"INPUTS_DIFFERENTIABLE = {moving}",
            *([f"SIZES = {{{', '.join(f'{chr(34)}{n}{chr(34)}: {k}' for n, k in sizes)}}}"] if sizes else []),
        ),
        "fields": tuple(parameters.fields()),
        "method": "the complex step" if analytic else "5-point differences",
        "bound": "1e-12" if analytic else "1e-8",
        "shapes": parameters.shapes(),
        "size_parameters": parameters.size_parameters(),
        "size_arguments": parameters.size_arguments(),
        "sized": ", **SIZES" if sizes else "",
        "flat_signature": f"def flat(\n    {', '.join(flat)}\n) -> {kind}:",
        "data_names": ", ".join(data),
        "first_of_pullback": "vjp(params, *given)[1](u)[0]",
    }


def _sample_sizes(parameters: Parameters) -> list[tuple[str, int]]:
    """Return sizes to try a module at: small, and all different, so that no mix-up hides."""
    return [(name, k) for k, name in enumerate(parameters.sizes, 3)]


def needs_positive(program: Program, seed: int = 0) -> bool:
    """Tell whether values around zero leave the domain of the program: log, sqrt, 1/x."""
    rng = np.random.default_rng(seed)
    sizes = {name: value or 3 + k for k, (name, value) in enumerate(program.sizes.items())}
    numbers = {size_symbol(name): value for name, value in sizes.items()}

    def draw(var: Expr) -> Array:
        shape = [d if isinstance(d, int) else int(d.subs(numbers)) for d in var.shape]
        return rng.standard_normal(shape)

    for _ in range(3):
        values = {name_of(v): draw(v) for v in program.given}
        with np.errstate(all="ignore"):
            for binding in program.bindings:
                found = evaluate(binding.expr, values, sizes=sizes)
                values[binding.name] = found
                if not np.all(np.isfinite(found)):
                    return True
    return False



