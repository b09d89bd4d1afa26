"""What a program is given, as the first section of a reading."""

from collections.abc import Iterator

from symbp.derive.derivation import Step
from symbp.emit.document import Section
from symbp.emit.math import shape_text
from symbp.ir import Expr, name_of, symbol
from symbp.program import Loop, Program
from symbp.sizes import size_member


def given(program: Program) -> Section:
    """Return the section of sizes, and of each name with its role, its shape and its range."""
    sizes = ", ".join(_sizes(program))
    intro = f"Sizes: {sizes}." if sizes else ""
    roles = [("input", program.inputs), ("target", program.targets), ("const", program.consts),
             ("param", program.params)]  # fmt: skip
    if not (program.params or program.inputs):
        roles = [("variable", program.consts)]
    steps = [
        Step(v, v, v, _role(word, v), loops=_range(v, program))
        for word, found in roles
        for v in found
    ]
    return Section("Given", intro, tuple(steps))


def _range(var: Expr, program: Program) -> tuple[Loop, ...]:
    """Return the range of a family that is given, nothing for a name of its own."""
    family = program.families.get(name_of(var))
    return () if family is None else (family,)


def _sizes(program: Program) -> Iterator[str]:
    """Yield the sizes, a family of them as `D₀ … D_K`."""
    values = dict(program.sizes)
    names = {name_of(v) for v in (*program.given, *(b.target for b in program.bindings))}
    families = {name: f for name, f in program.families.items() if name not in names}
    for name in dict.fromkeys([*values, *families]):
        value = "" if values.get(name) is None else f" = {values[name]}"
        if name in families:
            ends = (families[name].start, families[name].stop)
            first, last = (shape_text((size_member(name, end),)) for end in ends)
            yield f"{first} … {last}{value}"
        else:
            yield name + value


def _role(word: str, var: Expr) -> str:
    extra = [", one-hot"] if symbol(var).encoding == "one_hot" else []
    extra += [", symmetric"] if symbol(var).symmetric else []
    return word + "".join(extra)
