import accused
import numpy as np
import pytest
from verdicts import flagged, only

from symbp.check import certify


def test_wrong_identity_is_flagged():
    certificate = certify(accused.identity(grad_W=lambda A, W: A.T @ (A @ W)))
    assert flagged(certificate, "gradient", "W").ratio == pytest.approx(0.5)
    flagged(certificate, "value", "value_and_grad_W[1]")


def test_mixed_examples_are_flagged():
    right = accused.scalars().grad_x
    certificate = certify(accused.scalars(grad_x=lambda x, w: np.roll(right(x, w), 1)))
    flagged(certificate, "gradient", "x")


def test_wrong_pullback_of_a_matrix():
    def vjp(A, X):
        return A @ X @ A.T, lambda bar: (bar @ A @ X.T + bar.T @ A @ X, A @ bar @ A.T)

    certificate = certify(accused.matrices(vjp=vjp))
    flagged(certificate, "vjp", "X")
    only(certificate, ("vjp", "X"))
