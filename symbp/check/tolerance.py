"""How close is close enough: every tolerance of the judge, relative, in one place.

Differences are divided by the largest entry of what is compared (see `FLOOR`), so that a
tolerance means the same for a gradient of 1e-6 and for one of 1e6.
"""

from typing import Final

COMPLEX_STEP: Final = "complex step"
FIVE_POINT: Final = "5-point"
EXACT: Final = "equal"
ADJOINT: Final = "⟨v, J u⟩ = ⟨Jᵀ v, u⟩"
SYMMETRY: Final = "⟨u, H v⟩ = ⟨v, H u⟩"
FLOAT32: Final = "float64"

TOLERANCE: Final[dict[str, float]] = {
    COMPLEX_STEP: 1e-12,  # rounding alone: analytic functions, float64
    FIVE_POINT: 1e-8,  # truncation h⁴ and rounding ε/h, float64
    EXACT: 1e-12,  # two roads to one float64 value
    ADJOINT: 1e-12,
    SYMMETRY: 1e-12,
    FLOAT32: 2e-5,  # a float32 result against the same in float64
}

FLOOR: Final = 1e-2
"""A parameter's gradient is never scaled by less than this share of the whole gradient or of the
loss: one that is zero in exact arithmetic holds the rounding of the others."""

FLOOR32: Final = 1e-1
"""The same share where float32 is compared, whose rounding is nearer to its tolerance."""
