"""Gradients of programs with loops as one formula: what is printed, and its value at numbers."""

from dataclasses import replace

import numpy as np
import pytest
from looped import LENGTHS, LOOPED
from reference import close, point, run_steps

import symbp
from symbp.derive.chains import closed_gradients
from symbp.derive.derive import derive
from symbp.derive.reading import read
from symbp.ir import name_of, size_symbol, size_value, symbol, variables
from symbp.ops.evaluate import evaluate
from symbp.ops.unroll import unrolled, written_out

SPECS = {
    **LOOPED,
    "scalars": """\
size   K
input  x
target y
param  omega[1..K]
h[0] = x
for k in 1..K-1:
    f[k] = omega[k] * h[k-1]
    h[k] = sin(f[k])
f[K] = omega[K] * h[K-1]
loss = (f[K] - y)^2
""",
    "residual": """\
size   K, n
input  x : n
target y : n
param  W[1..K] : n x n
h[0] = x
for k in 1..K:
    h[k] = h[k-1] + tanh(W[k] @ h[k-1])
loss = norm2(h[K] - y)^2
""",
    "tied": """\
size   K, n
input  x : n
target y : n
param  W : n x n
h[0] = x
for k in 1..K:
    f[k] = W @ h[k-1]
    g[k] = 2 * f[k]
    h[k] = tanh(g[k])
loss = norm2(h[K] - y)^2
wrt W, x
""",
    "output": """\
size   K, n
input  x : n
param  W[1..K] : n x n
h[0] = x
for k in 1..K:
    h[k] = tanh(W[k] @ h[k-1])
output h[K]
""",
    "two": """\
size   K, L, n
input  x : n
target y : n
param  W[1..K] : n x n
param  V[1..L] : n x n
h[0] = x
for k in 1..K:
    h[k] = tanh(W[k] @ h[k-1])
g[0] = relu(h[K])
for k in 1..L:
    g[k] = tanh(V[k] @ g[k-1])
loss = norm2(g[L] - y)^2
""",
}

AT = {
    **{name: [{"K": k} for k in (1, 2, 3, 4)] for name in SPECS},
    "two": [{"K": k, "L": depth} for k in (1, 2, 3) for depth in (1, 3)],
    **LENGTHS,
    "two_step": [{"K": k} for k in (2, 3, 4)],
}

MISSING = {
    "rnn": ["W", "U", "b"],
    "rnn_last": ["W", "U", "V", "c"],
    "two_step": ["W", "V"],
    "third": ["W"],
    "grid": ["W", "U"],
    "around": ["W", "V"],
}
"""Gradients that stay recurrences: several terms, brackets, two indices."""


class Turns:
    """A program with loops at numbers: the values of all lines and adjoints of one example."""

    def __init__(self, name, lengths):
        self.derivation = derive(symbp.parse(SPECS[name]))
        self.places = {size_symbol(size): value for size, value in lengths.items()}
        flat = derive(written_out(self.derivation.program, self.places))
        at = point(flat.program, 1)
        given = {name_of(v): at.example(0)[name_of(v)] for v in flat.program.given}
        given |= {f"{name}_dot": np.zeros(np.shape(value)) for name, value in given.items()}
        self.sizes = at.sizes
        self.values = run_steps(flat, given, at.sizes)

    def hold(self, steps):
        """Compare the right side of each line, in every turn, with the adjoint on its left."""
        for line in unrolled([step.binding for step in steps], self.places):
            read = [v for v in variables(line.expr) if symbol(v).role == "adjoint"]
            known = {name_of(v): self.adjoint(v) for v in read}
            found = evaluate(line.expr, {**self.values, **known}, sizes=self.sizes)
            close(found, self.adjoint(line.target), name_of(line.target))

    def adjoint(self, var):
        """Return the value of an adjoint; zero where the program without loops has none."""
        sizes = [
            size_value(dim, {size_symbol(s): n for s, n in self.sizes.items()}) for dim in var.shape
        ]
        return self.values.get(f"{symbol(var).of}_bar", np.zeros(list(map(int, sizes))))


@pytest.mark.parametrize(("name", "lengths"), [(name, at) for name in SPECS for at in AT[name]])
def test_a_formula_has_the_value_of_the_gradient(name, lengths):
    turns = Turns(name, lengths)
    closed = closed_gradients(turns.derivation)
    turns.hold(closed.steps)
    assert [symbol(var).of for var in closed.missing] == MISSING.get(name, [])


def test_every_member_has_a_line():
    turns = Turns("deep", {"K": 3})
    steps = closed_gradients(turns.derivation).steps
    lines = unrolled([step.binding for step in steps], turns.places)
    found = sorted(symbol(line.target).of for line in lines)
    assert found == [f"{name}_{k}" for name in ("Omega", "beta") for k in (1, 2, 3)]


@pytest.mark.parametrize(("name", "lengths"), [(name, at) for name in SPECS for at in AT[name]])
def test_what_a_person_reads_of_a_sweep_has_the_same_values(name, lengths):
    turns = Turns(name, lengths)
    steps = read(turns.derivation).adjoint
    turns.hold(steps)
    turns.hold([replace(step, expr=step.rule) for step in steps])


PRINTED = {
    "deep": """\
    for k = 1 … K−1:
        ∂ℓ/∂Ωₖ  = 2 diag(1[fₖ > 0]) Ωₖ₊₁ᵀ ⋯ diag(1[f_{K−1} > 0]) Ω_Kᵀ (f_K − y)   Dₖ × Dₖ₋₁
                    hₖ₋₁ᵀ
        ∂ℓ/∂βₖ  = 2 diag(1[fₖ > 0]) Ωₖ₊₁ᵀ ⋯ diag(1[f_{K−1} > 0]) Ω_Kᵀ (f_K − y)   Dₖ
    ∂ℓ/∂Ω_K = 2 (f_K − y) h_{K−1}ᵀ                                                D_K × D_{K−1}
    ∂ℓ/∂β_K = 2 (f_K − y)                                                         D_K
""",
    "scalars": """\
    for k = 1 … K−1:
        ∂ℓ/∂ωₖ  = 2 hₖ₋₁ ωₖ₊₁ cos(fₖ) ⋯ ω_K cos(f_{K−1}) (f_K − y)
    ∂ℓ/∂ω_K = 2 h_{K−1} (f_K − y)
""",
    "tied": """\
    ∂ℓ/∂W = Σ_{k=1…K−1} 4 diag(1 − hₖ²) (2 Wᵀ diag(1 − hₖ₊₁²)) ⋯ (2 Wᵀ diag(1 − h_K²))   n × n
              (h_K − y) hₖ₋₁ᵀ + 4 ((1 − h_K²) ⊙ (h_K − y)) h_{K−1}ᵀ
    ∂ℓ/∂x = 2 (2 Wᵀ diag(1 − h₁²)) ⋯ (2 Wᵀ diag(1 − h_K²)) (h_K − y)                     n
""",
    "rnn": """\
Left as above, since a recurrence with several terms, brackets or indices has no such form: ∂ℓ/∂W,
∂ℓ/∂U, ∂ℓ/∂b.

    ∂ℓ/∂V = Σ_{t=1…T} 2 (oₜ − yₜ) hₜᵀ   D_o × D_h
""",
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_formulas_on_a_page(name):
    text = symbp.derive(symbp.parse(SPECS[name])).unicode(closed_form=True)
    assert text.partition("Closed forms")[2].endswith("\n" + PRINTED[name])


def test_the_formulas_of_a_paper():
    lines = symbp.derive(symbp.parse(SPECS["deep"])).latex(closed_form=True, fragment=True)
    product = (
        r"2\, \operatorname{diag}(\mathbb{I}[\bm{f}_{k} > 0]) \, \bm{\Omega}_{k+1}^{\top} \, "
        r"\cdots \, "
        r"\operatorname{diag}(\mathbb{I}[\bm{f}_{K-1} > 0]) \, \bm{\Omega}_{K}^{\top}"
    )
    assert product in lines
