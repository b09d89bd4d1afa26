"""The Python API on programs with loops: lines of families, of members, and SymPy."""

import pytest
import sympy as sp
from looped import LOOPED

import symbp


def derived(name):
    return symbp.derive(symbp.parse(LOOPED[name]))


GRADIENTS = {
    "Omega": ("∂ℓ/∂fₖ hₖ₋₁ᵀ", "k = 1 … K"),
    "beta": ("∂ℓ/∂fₖ", "k = 1 … K"),
    "Omega[2]": ("∂ℓ/∂f₂ h₁ᵀ", ""),
    "Omega[K]": ("∂ℓ/∂f_K h_{K−1}ᵀ", ""),
    "Omega[ K - 1 ]": ("∂ℓ/∂f_{K−1} h_{K−2}ᵀ", ""),
    "f": ("1[fₖ > 0] ⊙ (Ωₖ₊₁ᵀ ∂ℓ/∂fₖ₊₁)", "k = 1 … K−1"),
    "f[K]": ("2 (f_K − y)", ""),
    "h": ("Ωₖ₊₁ᵀ ∂ℓ/∂fₖ₊₁", "k = 0 … K−1"),
    "h[1]": ("Ω₂ᵀ ∂ℓ/∂f₂", ""),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_gradient_of_a_family_and_of_a_member(name):
    found = derived("deep").gradient(name)
    assert (found.unicode(), found.range) == GRADIENTS[name]


def test_members_with_two_places():
    assert str(derived("grid").line("U[2]").left) == "∂ℓ/∂U₂"
    assert str(derived("grid").gradient("a[1,T]")) == "(1 − h_{1,T}²) ⊙ ∂ℓ/∂h_{1,T}"


def test_a_line_of_a_family_says_its_range():
    line = derived("deep").line("Omega")
    assert str(line) == "∂ℓ/∂Ωₖ = ∂ℓ/∂fₖ hₖ₋₁ᵀ   product · Dₖ × Dₖ₋₁, k = K … 1"
    assert line.latex().endswith(r"\bm{h}_{k-1}^{\top},\ k = K, \dots, 1")


REFUSED = {
    "Omega[0]": "its members are Omega[1] to Omega[K]",
    "Omega[K+1]": "there is no gradient of Omega[K+1]",
    "Omega[k]": "k is no place of a member",
    "Omega[2K]": "2K is no place of a member",
    "Omega[]": "write `Omega[2]`",
    "Omega[1,2]": "there is no gradient of Omega[1,2]",
    "Omeg": "did you mean `Omega`?",
    "Omega[2": "there is no gradient of Omega[2",
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_such_member(name):
    with pytest.raises(symbp.SymbpError) as error:
        derived("deep").gradient(name)
    assert REFUSED[name] in str(error.value)


def test_members_in_sympy_are_symbols_called_as_they_are_written():
    found = derived("deep").gradient("Omega").to_sympy()
    sizes = sp.Function("D", positive=True, integer=True)
    k = sp.Symbol("k", integer=True)
    adjoint = sp.MatrixSymbol("f_bar[k]", sizes(k), 1)
    value = sp.MatrixSymbol("h[k-1]", sizes(k - 1), 1)
    assert {str(s) for s in found.free_symbols} >= {"f_bar[k]", "h[k-1]"}
    assert str(found) == str(adjoint * value.T)


def test_users_may_give_their_own_symbols_for_members():
    expr = derived("deep").gradient("f[K]").expr
    mine = sp.MatrixSymbol("F", 3, 1), sp.MatrixSymbol("Y", 3, 1)
    found = symbp.to_sympy(expr, {"f[K]": mine[0], "y": mine[1]})
    assert {s for s in found.free_symbols if s.is_Matrix} == set(mine)


@pytest.mark.parametrize("name", ["W", "U"])
def test_sums_over_members_have_no_form_in_sympy(name):
    with pytest.raises(symbp.SymbpError, match="a sum over the members of a family"):
        derived("rnn").gradient(name).to_sympy()
