"""What a derivation costs: counted by hand, written out, and as the command line says it."""

from pathlib import Path

import pytest
import sympy as sp
from click.testing import CliRunner

from symbp import cost, derive
from symbp.cli import main
from symbp.errors import SymbpError
from symbp.lower.batch import EXAMPLES
from symbp.ops.unroll import written_out
from symbp.sizes import size_symbol
from symbp.spec import load, parse
from symbp.spending import leading

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.symbp"))
DEEP = str(Path(__file__).parents[1] / "specs" / "deep.symbp")
K, d, N = size_symbol("K"), size_symbol("d"), EXAMPLES
LAYER = """size m, n
input x : n
target y : m
param W : m x n
param b : m
f = W @ x + b
loss = norm2(f - y)^2
"""
NET = """size K, D[0..K]
input x : D[0]
target y : D[K]
param Omega[1..K] : D[k] x D[k-1]
param beta[1..K] : D[k]
h[0] = x
for k in 1..K-1:
    f[k] = beta[k] + Omega[k] @ h[k-1]
    h[k] = relu(f[k])
f[K] = beta[K] + Omega[K] @ h[K-1]
r = f[K] - y
loss = norm2(r)^2
"""
RECURRENT = """size T, D
input x[1..T] : D
target y : D
param W : D x D
param a : D
h[0] = a
for t in 1..T:
    z[t] = W @ h[t-1] + x[t]
    h[t] = tanh(z[t])
r = h[T] - y
loss = norm2(r)^2
"""


NESTED = """size T, K, D
input x[1..T] : D
target y : D
param W[1..K] : D x D
param a : D
for k in 1..K:
    s[k, 0] = a
for t in 1..T:
    s[0, t] = x[t]
for t in 1..T:
    for k in 1..K:
        s[k, t] = tanh(W[k] @ s[k-1, t] + s[k, t-1])
loss = norm2(s[K, T] - y)^2
"""


def of(text):
    return cost(derive(parse(text, "counted")))


def test_a_layer_is_counted_as_by_hand():
    found, (m, n) = of(LAYER), map(size_symbol, "mn")
    f = m * n + m  # W x, and adding b
    loss = 3 * m  # f − y, its squares, their sum
    assert sp.expand(found.forward - N * (f + loss)) == 0
    f_bar = 2 * m  # f − y, which has a name, times w, times 2
    W_bar = m * n  # f_bar xᵀ, added up over the examples
    b_bar = m  # added up over the examples
    x_bar = m * n  # Wᵀ f_bar
    assert sp.expand(found.reverse - N * (f + loss + f_bar + W_bar + b_bar + x_bar)) == 0
    naive = 3 * f_bar + W_bar + b_bar + x_bar
    assert sp.expand(found.naive - N * (f + loss + naive)) == 0
    f_dot = 2 * m * n + 2 * m  # Ẇ x, W ẋ, and adding the three
    loss_dot = m + 1  # f − y, times ḟ, times 2
    assert sp.expand(found.tangent - N * (f_dot + loss_dot)) == 0
    assert found.parameters == m * n + m
    assert sp.expand(found.stored - N * (n + m)) == 0  # x, and f − y


def test_matrix_functions_count_the_cube():
    n = size_symbol("n")
    found = cost(derive(parse("size n\nparam X : n x n\nloss = logdet(X)\n", "counted")))
    assert found.forward == n**3
    assert found.reverse == 2 * n**3 + n**2  # X⁻ᵀ, times the adjoint of the loss


@pytest.mark.parametrize("turns", [1, 2, 3, 7])
def test_formulas_of_a_loop_are_the_counts_of_what_is_written_out(turns):
    program, widths = parse(NET, "net"), [3 + k for k in range(turns + 1)]
    looped = cost(derive(program)).at(K=turns, D=widths, N=4)
    whole = cost(derive(written_out(program, {K: turns})))
    flat = whole.at(**{f"D_{k}": width for k, width in enumerate(widths)}, N=4)
    assert looped == flat


@pytest.mark.parametrize("turns", [1, 2, 3, 7])
def test_a_total_is_added_to_in_every_turn(turns):
    program = parse(RECURRENT, "recurrent")
    looped = cost(derive(program)).at(T=turns, D=5, N=4)
    flat = cost(derive(written_out(program, {size_symbol("T"): turns}))).at(D=5, N=4)
    for key in ("forward", "by_forward_mode"):
        assert looped[key] == flat[key]
    assert looped["reverse"] == flat["reverse"] + 5 * 5  # W_bar begins with zeros


def test_reverse_mode_grows_with_the_depth_and_naive_products_with_its_square():
    found = cost(derive(load(DEEP)))
    reverse, naive = (sp.Poly(found.equal(c), K, d) for c in (found.reverse, found.naive))
    assert (reverse.degree(K), reverse.degree(d)) == (1, 2)
    assert (naive.degree(K), naive.degree(d)) == (2, 2)
    assert leading(found.equal(found.reverse)) == 3 * N * K * d**2
    assert leading(found.equal(found.naive)) == N * K**2 * d**2


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_gradients_are_cheap(spec):
    found = cost(derive(load(str(spec))))
    assert 1 <= found.ratio <= 4
    assert found.trial.value(found.naive) >= found.trial.value(found.forward)


def test_a_family_shared_over_an_outer_loop_has_a_gradient_for_each_member():
    found = cost(derive(parse(NESTED, "nested")))
    T = size_symbol("T")
    naive = sp.Poly(found.equal(found.naive), T, K, d)
    assert naive.coeff_monomial(T * K**2 * d**2) == N  # each W[k], through all turns of both loops
    assert sp.Poly(found.equal(found.reverse), T, K, d).coeff_monomial(T * K**2 * d**2) == 0


def test_sizes_without_numbers_stay_symbols():
    found = cost(derive(load(DEEP)), D=8)
    assert found.at()["forward"] == 80 * K + 16  # K d² + 2 K d + 2 d
    assert cost(derive(load(DEEP)), K=2).at(D=(3, 4, 5))["stored"] == 3 + 4 + 5
    with pytest.raises(SymbpError, match="no size `Q`"):
        found.at(Q=3)
    with pytest.raises(SymbpError, match="N cannot be 0"):
        found.at(N=0)


def test_sizes_called_as_our_letters_are_kept_apart():
    found = of("size N, d\ninput x : N\nparam W : d x N\nloss = norm2(W @ x)^2\n")
    assert found.at(N=3, d=5)["stored"] == 3 + 5
    assert found.at(N=3, d=5, B=10)["stored"] == 10 * (3 + 5)
    assert "B (N d + 2 d)" in found.unicode()
    assert ", B = 1\n" in found.unicode()


def run(*args):
    return CliRunner().invoke(main, ["cost", *args])


def test_the_command_prints_formulas_and_numbers():
    text = run(DEEP, "--set", "K=1000", "--set", "D=64").output
    assert "N (3 D_K D_{K−1} + 7 D_K + Σ_{k=1…K−1} (3 Dₖ Dₖ₋₁ + 5 Dₖ))" in text
    assert "Σ_{j=k+1…K−1} (2 Dⱼ Dⱼ₋₁ + 4 Dⱼ)" in text
    assert "leading 3 N K d²" in text
    assert "In numbers, at K = 1000, D = 64, N = 1" in text
    assert "    Reverse mode             12,608,128\n" in text  # (3 d² + 5 d) K + 2 d
    assert "at most 4: holds." in text
    assert "one sweep for each of 4,160,000 parameters: 2,790,000 times" in text
    assert "stores 64,064 numbers: 512,512 bytes in float64, 256,256 in float32" in text


def test_the_command_takes_some_sizes_or_none():
    assert "N (D₀ D₁ + D₁ D₂ + 2 D₁ + 4 D₂)" in run(DEEP, "--set", "K=2").output
    assert "at small sizes: K = 3" in run(DEEP).output
    assert "N = 32" in run(DEEP, "--set", "N=32").output
    assert "Forward pass" in run("-e", "norm2(A @ x)^2").output


def test_wrong_sizes_are_refused():
    found = run(DEEP, "--set", "N=many")
    assert found.exit_code == 2
    assert "--set N=many is no number of examples" in found.output
    assert "the spec has no size `Q`" in run(DEEP, "--set", "Q=3").output
