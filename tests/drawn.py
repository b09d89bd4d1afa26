"""Deep networks drawn at random, and what their values and derivatives come to.

A network's entries are independent only from network to network, and in 50 layers the sizes of all
of them drift together.  So each example gets its own signs in front of every layer: W diag(s) is
drawn like W, and an example is then a network of its own (as good as: the sizes, not the signs, of
the weights are shared by a batch).
"""

from dataclasses import dataclass, replace

import numpy as np

from symbp.derive.dense import Wanted
from symbp.initialization import resolved
from symbp.ir import name_of, symbol
from symbp.moments.numbers import Number, numbers
from symbp.moments.travel import travel
from symbp.pipeline import compile_module, derive
from symbp.program import Program
from symbp.spec import parse

TEXT = """
{op}size D[0..{layers}]
input x : D[0]
{signs}input c : D[{layers}]
param Omega[1..{layers}] : D[k] x D[k-1] init {init}
h[0] = x
for k in 1..{before}:
    f[k] = Omega[k] @ {read}
    h[k] = {call}
f[{layers}] = Omega[{layers}] @ {last}
output f[{layers}]
loss = dot(c, f[{layers}])
"""


@dataclass(frozen=True)
class Case:
    """An activation, the widths of the layers, and how its weights start."""

    call: str
    widths: tuple[int, ...]
    op: str = ""
    init: str = "auto"


def network(case: Case, signs: bool = False) -> Program:
    """Return a deep network of an activation, with or without signs for every example."""
    layers = len(case.widths) - 1
    read, last = ("(s[k] .* h[k-1])", f"(s[{layers}] .* h[{layers - 1}])")
    text = TEXT.format(
        op=f"{case.op}\n" if case.op else "",
        init=case.init,
        layers=layers,
        before=layers - 1,
        call=case.call,
        signs=f"input s[1..{layers}] : D[k-1]\n" if signs else "",
        read=read if signs else "h[k-1]",
        last=last if signs else f"h[{layers - 1}]",
    )
    return parse(text, sizes={"D": case.widths})


@dataclass(frozen=True)
class Drawn:
    """Second moments by name: derived, and measured over all networks."""

    derived: dict[str, float]
    measured: dict[str, float]

    def worst(self) -> tuple[float, str]:
        """Return the largest |measured / derived − 1|, and where."""
        found = [(abs(self.measured[n] / d - 1), n) for n, d in self.derived.items()]
        return max(found)


def derived(program: Program, variances: dict[str, float] | None = None) -> dict[str, float]:
    """Return the derived second moment of every value and derivative of a layer."""
    sizes = {name: int(value or 0) for name, value in program.sizes.items()}
    given = {name_of(v): Number(0.0, 1.0) for v in program.inputs}
    found = travel(derive(program))
    made = numbers(found, sizes, given, variances=variances)
    names = [symbol(line.target).name for line in (*found.forward, *found.backward)]
    return {name: made[name].second for name in names}


def drawn(case: Case, seeds: int, examples: int) -> Drawn:
    """Return what is derived for a network, and what is measured over seeds and signs."""
    plain = resolved(network(case))
    signed = replace(network(case, signs=True), inits=plain.inits)
    module = compile_module(derive(signed), wanted=Wanted(watch=True))
    wanted = derived(plain)
    sums = dict.fromkeys(wanted, 0.0)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        params = module.init_params(rng, np.float32)
        watched = module.watch(params, *_data(rng, case.widths, examples))
        for name in wanted:
            many = examples if name.endswith("_bar") else 1
            values = watched[name].astype(np.float64) * many
            sums[name] += float(np.mean(values**2)) / seeds
    return Drawn(wanted, sums)


def _data(rng: np.random.Generator, widths: tuple[int, ...], examples: int) -> list[np.ndarray]:
    """Return x, the signs before each layer, and c, standard normal but for the signs."""
    shapes = [(examples, width) for width in (widths[0], *widths[:-1], widths[-1])]
    x, *signs, c = (rng.standard_normal(shape, dtype=np.float32) for shape in shapes)
    return [x, *map(np.sign, signs), c]
