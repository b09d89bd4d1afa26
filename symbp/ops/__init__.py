"""The operations, one record each; `OPS` is the table of those that state a record."""

from symbp.ops.kinds import Elementwise, Nonlinear
from symbp.ops.matrix import MATRIX_FUNCTIONS
from symbp.ops.pointwise import FUNCTIONS
from symbp.ops.scalar import RECORDS

OPS: dict[str, Elementwise | Nonlinear] = {
    **{record.name: record for record in RECORDS.values()},
    **MATRIX_FUNCTIONS,
}

__all__ = ["FUNCTIONS", "MATRIX_FUNCTIONS", "OPS", "RECORDS", "Elementwise", "Nonlinear"]
