"""The numeric judge.  It knows NumPy and nothing of how a derivative was derived."""

from symbp.check.certificate import Certificate, Row
from symbp.check.certify import certify
from symbp.check.judge import judge
from symbp.check.numeric import (
    Slopes,
    complex_step,
    five_point,
    numeric_gradient,
    relative_error,
    taylor_slopes,
)
from symbp.check.tolerance import TOLERANCE

__all__ = [
    "TOLERANCE",
    "Certificate",
    "Row",
    "Slopes",
    "certify",
    "complex_step",
    "five_point",
    "judge",
    "numeric_gradient",
    "relative_error",
    "taylor_slopes",
]
