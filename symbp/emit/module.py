"""The module of a derivation: views made of strings, for the template to lay out."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, TypeAlias

from symbp.derive.dense import Wanted
from symbp.derive.derivation import Derivation
from symbp.emit.blocks import network_blocks
from symbp.emit.constants import (
    has_frozen,
    is_analytic,
    names_tuple,
    network_constants,
    size_constant,
    symmetric,
    symmetry,
)
from symbp.emit.docstring import docstring
from symbp.emit.identifiers import Identifiers
from symbp.emit.identity import Identity
from symbp.emit.looped_parameters import LoopedParameters
from symbp.emit.network import Network, family_or_type
from symbp.emit.parameters import Parameters
from symbp.emit.render import template
from symbp.emit.sweeps import Function, Sweep
from symbp.emit.text import broken, indented
from symbp.ir import Expr, holder, name_of, symbol
from symbp.lower.batch import Batch
from symbp.lower.schedule import Schedule, schedule
from symbp.program import Program

VERSION = "0.1.0"
View: TypeAlias = dict[str, Any]
"""What a template lays out: text, every name and number already in it."""

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


def module_text(
    derivation: Derivation, wanted: Wanted, origin: str = "", version: str = VERSION
) -> str:
    """Return the text of a derivation's module, with what is wanted besides gradients.

    `origin` is named in the docstring as where the spec is.
    """
    lowered = schedule(derivation) if derivation.program.params else None
    if lowered:
        view = network_view(derivation, lowered, wanted)
    else:
        view = identity_view(derivation, wanted)
    kind = "network" if lowered else "identity"
    code = "\n".join(function.body for function in view["functions"])
    view["docstring"] = docstring(derivation, origin, version, code)
    view["sha256"] = sha256(derivation.program.source.encode()).hexdigest()
    view["version"] = version
    return template(f"numpy/{kind}.py.jinja").render(module=view)


_FAMILIES = [
    "Members = dict[Any, Array]  # of a family, by their places",
    "Family = Sequence[Array] | Members",
]


def network_view(derivation: Derivation, lowered: Schedule, wanted: Wanted) -> View:
    """Return what the template of a network's module lays out."""
    program = derivation.program
    names = _identifiers(lowered.batch, program)
    names.carried = lowered.carried
    network = Network(lowered, names)
    public = [function for _, function in network.functions()]
    blocks = network_blocks(network, wanted)
    private, helpers = _private(network, names)
    parameters = (LoopedParameters if network.looped else Parameters)(lowered.batch, names)
    sizes = parameters.sample_sizes()
    samples = parameters.sample(network.data, parameters.all_sizes())
    functions = [parameters.init_params(), parameters.as_params(), *public]
    functions += [*blocks.functions(), samples, *private]
    helpers = sorted({*helpers, *blocks.write.helpers})
    kept = "Any" if network.looped else "Array"
    data = [network.name(v) for v in network.data]
    equal = network.fields.chosen(map(lowered.batched, symmetric(program)))
    return {
        "moving": "MOVING" if has_frozen(program) else "Params._fields",
        **_numeric(program, wanted),
        **blocks.checked([]),
        "params": True,
        "aliases": [
            *_labels(network.data),
            *(_FAMILIES if network.looped else []),
            f"Tape = tuple[{kept}, ...]  # what a sweep keeps for later",
        ],
        "constants": [
            *network_constants(network),
            *blocks.constants(),
            *symmetry(equal, wanted),
            *size_constant(sizes),
        ],
        "functions": functions,
        "helpers": [*_parts(network, helpers, _guards_used(functions)), *blocks.helpers()],
        **_layout(parameters),
        "sized": ", **SIZES" if sizes else "",
        "flat_signature": _flat_signature(network, names, parameters.typed(parameters.sizes)),
        **_flat_lines(data, parameters.size_arguments()),
    }


def _layout(parameters: Parameters) -> View:
    """Return how parameters lie in `Params` and in a flat vector, and what sizes that takes."""
    return {
        "fields": parameters.declared(),
        "families": bool(parameters.fields.families),
        "closed": len(parameters.fields.families) > len(parameters.fields.open),
        "counts": parameters.counts(),
        "told": parameters.told(parameters.sizes),
        "filled": indented(parameters.fields.filled()),
        "shapes": parameters.shapes(),
        "size_parameters": parameters.size_parameters(),
        "size_arguments": parameters.size_arguments(),
    }


def _flat_lines(data: Sequence[str], sizes: str) -> View:
    """Return the statements of `flat` that take the data."""

    def call(head: str, *more: str) -> str:
        given = [f"unravel(theta{sizes})", *data, *more]
        return "\n        ".join(broken(head, given, ")", depth=2))

    return {
        "flat_loss": call("return loss("),
        "flat_grad": call("_, grad = loss_and_grad("),
        "flat_hvp": call("_, grad_dot = hvp(", f"unravel(direction{sizes})"),
    }


def _flat_signature(network: Network, names: Identifiers, sizes: Sequence[str]) -> str:
    typed = [f"{network.name(v)}: {family_or_type(v)}" for v in network.data]
    typed += ["*", *sizes] if sizes else []
    inner = f"{typed[0]}," if len(typed) == 1 else ", ".join(typed)
    kind = (
        "tuple[Callable[[Array], float], Callable[[Array], Array], Callable[[Array, Array], Array]]"
    )
    if not typed:
        return f"def flat() -> tuple[\n    {kind[len('tuple[') : -1]}\n]:"
    if len(inner) > 96:
        inner = ",\n    ".join(typed) + ","
    return f"def flat(\n    {inner}\n) -> {kind}:"


def identity_view(derivation: Derivation, wanted: Wanted) -> View:
    """Return what the template of an identity's module lays out."""
    program = derivation.program
    batch = Batch(program)
    names = _identifiers(batch, program)
    identity = Identity(derivation, names, batch, wanted)
    functions = identity.functions()
    parameters = Parameters(batch, names)
    sizes = parameters.sample_sizes()
    variables = [names[v] for v in identity.wrt_batched()]
    analytic = is_analytic(program)
    kind = "scalar" if identity.is_scalar else "array"
    second = identity.blocks.checked(identity.products())
    parts = [
        *_guards_used(functions),
        f"check_{kind}",
        "complex_step" if analytic else "differences",
        "error",
        *identity.blocks.helpers(identity.products()),
        *(["symmetric"] if symmetric(program) else []),
    ]
    gradients = ", ".join(f'"{v}": grad_{v}' for v in variables)
    return {
        **_numeric(program, wanted),
        **second,
        "params": False,
        "aliases": _labels(identity.given),
        "constants": [
            f"ANALYTIC = {analytic}",
            f"ARGUMENTS = {names_tuple([names[v] for v in identity.given])}",
            f"VARIABLES = {names_tuple(variables)}  # what is differentiated by",
            *identity.blocks.constants(),
            *symmetry([names[v] for v in symmetric(program)], wanted),
            *size_constant(sizes),
        ],
        "functions": [*functions, parameters.sample_data(identity.given, parameters.all_sizes())],
        "helpers": [*sorted(identity.helpers), *parts],
        "gradients": f"{{{gradients}}}",
    }


def _numeric(program: Program, wanted: Wanted) -> View:
    analytic = is_analytic(program)
    return {
        "symmetric": bool(symmetric(program)),
        "both_halves": wanted.both_halves,
        "method": "the complex step" if analytic else "5-point differences",
        "bound": "1e-12" if analytic else "1e-8",
    }


def _labels(data: Sequence[Expr]) -> list[str]:
    labels = any(symbol(v).encoding == "one_hot" for v in data)
    return ["Labels = NDArray[np.integer]"] if labels else []


def _identifiers(batch: Batch, program: Program) -> Identifiers:
    given = [batch.name(v) for v in program.given]
    lines = [batch.name(binding.target) for binding in program.bindings]
    widths = [name for name in program.families if name not in {name_of(v) for v in given}]
    first = [v if not symbol(v).index else holder(v) for v in (*given, *lines)]
    return Identifiers(first, [*program.sizes, *widths], list(program.tuples))


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
                guards.append(sweep.guard(var, known))
                known.append(var)
        if name == "loss":
            both = {*network.targets, *map(holder, network.targets)}
            known = [v for v in [*sweep.named, *_unpacked(sweep)] if v not in both]
            targets = {holder(v): v for v in network.targets}
            guards = [sweep.guard(targets[v], known) for v in sweep.named if v in targets]
        made.append(sweep.function(_sweep_doc(sweep), guards))
        helpers |= sweep.helpers
    return made, sorted(helpers)


def _sweep_doc(sweep: Sweep) -> str:
    returned, kept = _SWEEP_DOCS[sweep.name]
    return f"{returned}, and {kept}." if sweep.keeps and kept else f"{returned}."


def _unpacked(sweep: Sweep) -> list[Expr]:
    return [v for group in ("tape", "params") for v in sweep.groups.get(group, [])]


def _guards_used(functions: Sequence[Function]) -> list[str]:
    """Return the guards that some functions call."""
    bodies = "\n".join(function.body for function in functions)
    callers = {
        "expect": ("_expect(", "_members(", "_family("),
        "numbers": ("_numbers(",),
        "family": ("_family(",),
    }
    return [name for name, calls in callers.items() if any(call in bodies for call in calls)]


def _parts(network: Network, helpers: Sequence[str], guards: Sequence[str]) -> list[str]:
    """Return the fixed texts that the module needs, in order."""
    loss = network.loss is not None
    made = [*helpers, *guards, *(["families"] if network.fields.families else []), "ravel"]
    made += ["flat", "check_loss"] if loss else ["check_output"]
    slopes = "complex_step" if is_analytic(network.program) else "differences"
    folding = ["symmetric"] if symmetric(network.program) else []
    return [*made, "check_forward", slopes, "error", *folding]
