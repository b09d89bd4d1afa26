"""The judge of what is dense: the right passes, and one wrong entry is refused by name."""

import accused
import numpy as np
import pytest
from verdicts import flagged, only

from symbp.check import certify
from symbp.check.second import unstacked


def dense(**replaced):
    """Return value = |A W|² with its Hessian 2 δ_jl (Aᵀ A)_ik by W, and the mixed block."""

    def hessian_W(A, W):
        return 2 * np.einsum("ai,ak,jl->ijkl", A, A, np.eye(W.shape[1], dtype=W.dtype))

    def hessian_A_W(A, W):
        eye = np.eye(len(W), dtype=W.dtype)
        return 2 * (np.einsum("ak,jl->ajkl", A, W) + np.einsum("al,jk->ajkl", A @ W, eye))

    def hvp_W(A, W, W_dot):
        return 2 * A.T @ (A @ W), 2 * A.T @ (A @ W_dot)

    names = {
        "HESSIANS": {"hessian_W": ("W", "W"), "hessian_A_W": ("A", "W")},
        "hessian_W": hessian_W,
        "hessian_A_W": hessian_A_W,
        "hvp_W": hvp_W,
    }
    return accused.identity(**{**names, **replaced})


def at_one_entry(function, change):
    """Return a function with one entry of its array changed."""

    def wrong(*args):
        made = function(*args)
        made[(0,) * made.ndim] = change(made[(0,) * made.ndim])
        return made

    return wrong


def test_what_is_right_passes():
    certificate = certify(dense())
    assert certificate.ok, str(certificate)
    assert {"hessian", "hvp"} <= {row.mode for row in certificate.rows}


@pytest.mark.parametrize(("name", "of"), [("hessian_W", "W"), ("hessian_A_W", "A, W")])
@pytest.mark.parametrize("change", [lambda x: -x, lambda x: 1.001 * x + 1e-3])
def test_one_wrong_entry_of_a_hessian_is_flagged(name, of, change):
    wrong = at_one_entry(getattr(dense(), name), change)
    certificate = certify(dense(**{name: wrong}))
    flagged(certificate, "hessian", of)
    only(certificate, ("hessian", of))


def test_a_hessian_of_the_wrong_shape_is_flagged():
    wrong = dense().hessian_A_W
    certificate = certify(dense(hessian_A_W=lambda A, W: wrong(A, W).swapaxes(0, 2)))
    assert "shape" in flagged(certificate, "hessian", "A, W").hint


def test_a_wrong_product_is_flagged():
    certificate = certify(dense(hvp_W=lambda A, W, d: (2 * A.T @ (A @ W), A.T @ (A @ d))))
    flagged(certificate, "hvp", "W")
    only(certificate, ("hvp", "W"))


def matrices(jacobian, layout="array"):
    """Return the array value = A X Aᵀ with a Jacobian by X."""
    names = {"JACOBIANS": {"jacobian_X": ("X",)}, "LAYOUT": layout, "jacobian_X": jacobian}
    return accused.matrices(**names)


def test_a_jacobian_in_both_layouts():
    def array(A, X):
        return np.einsum("ik,jl->ijkl", A, A)

    assert certify(matrices(array)).ok
    assert certify(matrices(lambda A, X: np.kron(A, A), "vec")).ok
    flagged(certify(matrices(lambda A, X: np.einsum("ik,jl->ijlk", A, A))), "jacobian", "X")
    rows = certify(matrices(lambda A, X: np.kron(A.T, A), "vec"))
    flagged(rows, "jacobian", "X")


def test_stacked_columns_are_opened_by_the_first_axis_fastest():
    tensor = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    matrix = tensor.transpose(1, 0, 3, 2).reshape(6, 20)
    np.testing.assert_array_equal(unstacked(matrix, (2, 3), (4, 5)), tensor)
    both = np.stack([matrix, 2 * matrix])
    np.testing.assert_array_equal(unstacked(both, (2, 2, 3), (2, 4, 5))[1], 2 * tensor)
    np.testing.assert_array_equal(unstacked(both, (2, 2, 3), (4, 5))[1], 2 * tensor)


def test_symmetric_arguments_are_tried_at_symmetric_matrices_alone():
    def value(S):
        return np.sum(S.T * np.diagonal(S))  # what its code does elsewhere is its own affair

    def draw(rng, dtype=np.float64):
        S = rng.standard_normal((3, 3))
        return ((S + S.T).astype(dtype),)

    def grad_S(S):
        return np.diagonal(S) + np.diag(S.sum(axis=0))

    module = accused.identity(value=value, sample=draw, grad_S=grad_S, VARIABLES=("S",),
                              SYMMETRIC=("S",))  # fmt: skip
    for name in ("grad_A", "grad_W", "value_and_grad_W", "jvp"):
        delattr(module, name)
    assert certify(module).ok, str(certify(module))
    module.grad_S = lambda S: 2 * grad_S(S)
    assert flagged(certify(module), "gradient", "S").ratio == pytest.approx(2)
