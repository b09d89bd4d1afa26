"""The module of a derivation: views made of strings, for the template to lay out."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, TypeAlias

from symbp.derive.dense import Wanted
from symbp.derive.derivation import Derivation
from symbp.derive.reverse import has_penalty
from symbp.emit.asked import Asked, together
from symbp.emit.blocks import network_blocks
from symbp.emit.composing import family_or_type
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
from symbp.emit.network import Network
from symbp.emit.parameters import Parameters
from symbp.emit.peak import Peak
from symbp.emit.private import guards_used, parts, private
from symbp.emit.render import template
from symbp.emit.segmenting import FIRST, LAST, segment_note
from symbp.emit.sweeps import Function
from symbp.emit.text import broken, indented
from symbp.emit.unit_variance import UnitVariance
from symbp.emit.watch import Watch
from symbp.ir import Expr, holder, name_of, symbol
from symbp.lower.batch import Batch
from symbp.lower.schedule import Schedule, schedule
from symbp.program import Program

VERSION = "0.1.0"
View: TypeAlias = dict[str, Any]
"""What a template lays out: text, every name and number already in it."""


def module_text(
    derivation: Derivation, wanted: Wanted, origin: str = "", version: str = VERSION
) -> str:
    """Return the text of a derivation's module, with what is wanted besides gradients.

    `origin` is named in the docstring as where the spec is.
    """
    sparse = wanted.checkpoint is not None
    lowered = schedule(derivation, sparse=sparse) if derivation.program.params else None
    if lowered:
        view = network_view(derivation, lowered, wanted)
    else:
        view = identity_view(derivation, wanted)
    kind = "network" if lowered else "identity"
    code = "\n".join(function.body for function in view["functions"])
    notes = (
        [segment_note(segment, wanted.checkpoint) for segment in lowered.segments]
        if lowered
        else []
    )
    view["docstring"] = docstring(derivation, origin, version, code, notes)
    view["sha256"] = sha256(derivation.program.source.encode()).hexdigest()
    view["version"] = version
    return template(f"numpy/{kind}.py.jinja").render(module=view)


_FAMILIES = [
    "Members = dict[Any, Array]  # of a family, by their places",
    "Family = Sequence[Array] | Members",
]


def _aliases(network: Network) -> list[str]:
    kept = "Any" if network.looped else "Array"
    tape = f"Tape = tuple[{kept}, ...]  # what a sweep keeps for later"
    return [*(_FAMILIES if network.looped else []), tape]


def network_view(derivation: Derivation, lowered: Schedule, wanted: Wanted) -> View:
    """Return what the template of a network's module lays out."""
    program = derivation.program
    names = _identifiers(lowered.batch, program, sparse=bool(lowered.segments))
    names.carried = lowered.carried
    network = Network(lowered, names)
    public = [function for _, function in network.functions()]
    blocks = network_blocks(network, wanted)
    sweeps, helpers = private(network, names)
    parameters = (LoopedParameters if network.looped else Parameters)(lowered.batch, names)
    sizes = parameters.sample_sizes()
    samples = parameters.sample(network.data, parameters.all_sizes())
    functions = [parameters.init_params(), parameters.as_params(), *public]
    more = _more(network, derivation, parameters, wanted)
    functions += [*more.functions, *blocks.functions(), *_peak(lowered, parameters), samples]
    functions += [*sweeps, *more.private]
    helpers = sorted({*helpers, *blocks.write.helpers, *more.called})
    last = [*blocks.helpers(), *more.helpers]
    return {
        "every": wanted.checkpoint,
        **_parts_of_batch(network),
        "moving": "MOVING" if has_frozen(program) else "Params._fields",
        **_numeric(program, wanted),
        **blocks.checked([]),
        "params": True,
        "aliases": [*_labels(network.data), *_aliases(network)],
        "constants": [
            *network_constants(network),
            *blocks.constants(),
            *more.constants,
            *_sizing(network, parameters, wanted),
        ],
        "functions": functions,
        "helpers": [*parts(network, helpers, guards_used(functions)), *last],
        **more.flags,
        **_layout(parameters),
        "sized": ", **SIZES" if sizes else "",
        "flat_signature": _flat_signature(network, names, parameters.typed(parameters.sizes)),
        **_flat_lines([network.name(v) for v in network.data], parameters.size_arguments()),
    }


def _sizing(network: Network, parameters: Parameters, wanted: Wanted) -> list[str]:
    """Return the constants on what is symmetric and on sizes to try the module at."""
    own = map(network.schedule.batched, symmetric(network.program))
    equal = symmetry(network.fields.chosen(own), wanted)
    return [*equal, *size_constant(parameters.sample_sizes()), *parameters.lengths()]


def _more(
    network: Network, derivation: Derivation, parameters: Parameters, wanted: Wanted
) -> Asked:
    """Return the functions that are asked for by an option, and by an `init` of the spec."""
    made = [Watch(network, derivation).asked()] if wanted.watch else []
    if any(init.kind == "lsuv" for init in parameters.inits):
        made.append(UnitVariance(network, derivation).asked())
    return together(made)


def _peak(lowered: Schedule, parameters: Parameters) -> list[Function]:
    if not lowered.segments or not isinstance(parameters, LoopedParameters):
        return []
    found = Peak(lowered, parameters).function()
    return [] if found is None else [found]


def _parts_of_batch(network: Network) -> View:
    """Return how a batch that is worked out in parts is put together."""
    mean = network.program.reduction == "mean"
    return {
        "iterators": network.loss is not None and network.takes_parts,
        "part_weight": "weight = size / n" if mean else "weight = 1",
        "part_sized": mean,
        "part_penalty": not mean and has_penalty(network.program),
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
        *guards_used(functions),
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


def _identifiers(batch: Batch, program: Program, *, sparse: bool = False) -> Identifiers:
    given = [batch.name(v) for v in program.given]
    lines = [batch.name(binding.target) for binding in program.bindings]
    segment = [FIRST.name, LAST.name]  # the arguments of the functions that run turns
    widths = [name for name in program.families if name not in {name_of(v) for v in given}]
    first = [v if not symbol(v).index else holder(v) for v in (*given, *lines)]
    return Identifiers(
        first, [*program.sizes, *widths, *(segment if sparse else [])], list(program.tuples)
    )
