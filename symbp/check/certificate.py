"""What the judge says: rows of measured error, and the table a person reads."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbp.check.hint import explain
from symbp.check.tolerance import TOLERANCE

Array = NDArray[Any]


class Subject(NamedTuple):
    """What is judged (`quantity`, as "W1"), as what (`mode`, as "gradient"), and by what."""

    quantity: str
    mode: str
    method: str
    tolerance: float | None = None

    @property
    def limit(self) -> float:
        """The relative error allowed: as told, else the method's own."""
        return TOLERANCE[self.method] if self.tolerance is None else self.tolerance


@dataclass(frozen=True)
class Row:
    """One comparison: the worst entry of one quantity in one mode.

    `error` is relative; `worst` is the index of the worst entry, None where an entry has no
    index (an inner product, a random direction); `ratio` is ours / reference there.  `checked`
    counts the derivatives measured, of `size` entries.  `doubtful` rows are not ok: the
    reference could not be trusted, which is no word against the accused.
    """

    quantity: str
    mode: str
    method: str
    error: float
    tolerance: float
    worst: tuple[int, ...] | None
    ours: float
    reference: float
    ratio: float
    checked: int
    ok: bool
    size: int = 1
    hint: str = ""
    doubtful: bool = False

    def format(self) -> str:
        """Return a failure as a line: mode, quantity, worst index, both values, ratio, hint."""
        if np.isnan(self.ours) and np.isnan(self.reference):
            return f"{self.mode} of {self.quantity}: {self.hint}"
        place = "" if self.worst in (None, ()) else f" at {list(self.worst or ())}"
        numbers = f"ours {self.ours:.9g}, expected {self.reference:.9g}, ratio {self.ratio:.6g}"
        return f"{self.mode} of {self.quantity}{place}: {numbers} ({self.hint})"


@dataclass(frozen=True)
class Certificate:
    """The rows of one judgement, in the order they were measured."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether something was judged and all of it agreed."""
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows that are not ok."""
        return tuple(row for row in self.rows if not row.ok)

    def worst(self) -> Row:
        """Return the failure, or else the row, nearest to or farthest beyond its tolerance."""
        if not self.rows:
            raise ValueError("an empty certificate has no worst row: nothing was judged")
        return max(self.rows, key=lambda row: (not row.ok, row.error / row.tolerance))

    def format(self) -> str:
        """Return the table as plain text, then a line for each failure, then the verdict."""
        cells: list[tuple[str, ...]] = [
            ("mode", "of", "against", "checked", "error", "allowed", "")
        ]
        cells += [_cells(row) for row in self.rows]
        widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
        table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
        agreed = len(self.rows) - len(self.failures)
        verdict = f"{agreed} of {len(self.rows)} agree" if self.rows else "nothing was judged"
        return "\n".join([*table, *(f"FAIL {row.format()}" for row in self.failures), verdict])

    def __str__(self) -> str:
        return self.format()


def compare(
    subject: Subject,
    ours: object,
    reference: object,
    *,
    floor: float = 0.0,
    doubt: float = 0.0,
    examples: int | None = None,
) -> Row:
    """Return the row for two arrays that should be the same entry by entry.

    Differences are divided by the largest entry of either, or by `floor` if that is larger;
    `doubt` is the absolute error the reference admits.
    """
    a, b = np.asarray(ours), np.asarray(reference)
    if a.shape != b.shape:
        return failure(subject, explain(a, b), size=b.size)
    scale = extent(a, b, floor=floor)
    with np.errstate(invalid="ignore"):  # inf − inf: infinitely wrong, said by the error
        errors = np.nan_to_num(np.abs(a - b) / scale, nan=np.inf, posinf=np.inf)
    error = float(np.max(errors, initial=0))
    if not a.size:
        return Row(*subject[:3], 0.0, subject.limit, None, 0.0, 0.0, 1.0, 0, True, 0)
    worst = tuple(int(k) for k in np.unravel_index(int(np.argmax(errors)), a.shape))
    return finish(
        Row(*subject[:3], error, subject.limit, worst, *pair(a[worst], b[worst]), a.size, True),
        doubt=doubt / scale,
        size=a.size,
        hint=explain(a, b, examples) if error > subject.limit else "",
    )


def finish(row: Row, *, doubt: float, size: int, hint: str) -> Row:
    """Return the row with its verdict: doubtful, failed with a hint, or ok."""
    doubtful = not doubt <= row.tolerance
    ok = row.error <= row.tolerance and not doubtful
    if doubtful:
        hint = f"no verdict: two steps disagree by {doubt:.1e}, so a kink or noise is close by"
    return replace(row, ok=ok, size=size, doubtful=doubtful, hint="" if ok else hint)


def failure(subject: Subject, hint: str, size: int = 1) -> Row:
    """Return the row of what could not even be compared, with the reason."""
    nan = float("nan")
    lost = Row(*subject[:3], np.inf, subject.limit, None, nan, nan, nan, 0, False)
    return replace(lost, size=size, hint=hint)


def pair(ours: Any, reference: Any) -> tuple[float, float, float]:
    """Return both entries and their ratio, as floats: 1 for 0 / 0, ±inf for x / 0."""
    a, b = float(np.real(ours)), float(np.real(reference))
    if b == 0:
        return a, b, 1.0 if a == 0 else float(np.copysign(np.inf, a))
    return a, b, a / b


def extent(*values: object, floor: float = 0.0) -> float:
    """Return the largest finite magnitude in the arrays, at least `floor`, never 0."""
    sizes = [np.abs(np.asarray(value)) for value in values]
    peaks = [float(np.max(size, initial=0, where=np.isfinite(size))) for size in sizes]
    return max(*peaks, floor, 1e-300)


def _cells(row: Row) -> tuple[str, ...]:
    count = str(row.checked) if row.checked >= row.size else f"{row.checked} / {row.size}"
    verdict = "ok" if row.ok else "no verdict" if row.doubtful else "FAIL"
    error, tolerance = f"{row.error:.1e}", f"{row.tolerance:.0e}"
    return row.mode, row.quantity, row.method, count, error, tolerance, verdict
