"""What is trained on: arrays of an `.npz` file, held against what the spec is given."""

import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import SymbpError, did_you_mean, printable

Array = NDArray[Any]


@dataclass(frozen=True)
class Field:
    """What a module is given besides its parameters.

    dims: the shape for one example.  batched: whether there is one for each example, as the first
    axis.  classes: where it holds the indices of classes, how many these are.
    """

    name: str
    dims: tuple[int, ...]
    batched: bool = True
    classes: int | None = None


@dataclass(frozen=True)
class Data:
    """Arrays in the order in which the module takes them; `batched` ones have `examples` rows.

    Where none is batched, the one example is what there is.
    """

    arrays: tuple[Array, ...]
    batched: tuple[bool, ...]
    examples: int

    def rows(self, chosen: Any) -> tuple[Array, ...]:
        """Return the arrays of some examples, by a slice or an array of their numbers."""
        pairs = zip(self.arrays, self.batched, strict=True)
        return tuple(array[chosen] if batched else array for array, batched in pairs)

    def part(self, chosen: Array) -> "Data":
        """Return the data of some examples."""
        return replace(self, arrays=self.rows(chosen), examples=len(chosen))

    def check_batch(self, batch: int) -> None:
        """Raise SymbpError where there are fewer examples to train on than a batch has."""
        if any(self.batched) and self.examples < batch:
            what = f"{self.examples} examples to train on are fewer than a batch of {batch}"
            raise SymbpError(what, f"give more, or `--batch {self.examples}`")

    def digest(self) -> str:
        """Return a fingerprint: a run goes on with the data it began with."""
        made = sha256()
        for array in self.arrays:
            made.update(f"{array.dtype.str} {array.shape};".encode())
            made.update(np.ascontiguousarray(array).tobytes())
        return made.hexdigest()


def read(path: Path) -> dict[str, Array]:
    """Return the arrays of an `.npz` file by their names; nothing in it is ever run.

    Raises SymbpError where it is no such file.
    """
    shown = printable(str(path))
    if not path.is_file():
        raise SymbpError(f"no file {shown}", "check the path; `numpy.savez` writes such a file")
    try:
        if zipfile.is_zipfile(path):
            with np.load(path, allow_pickle=False) as file:
                return {name: _plain(name, file[name]) for name in file.files}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise SymbpError(f"{shown} cannot be read: {printable(str(error))}", _SAVE) from error
    raise SymbpError(f"{shown} is no .npz file", _SAVE)


_SAVE = "write it as `numpy.savez('data.npz', x=x, y=y)`, numbers alone"


def _plain(name: str, value: Any) -> Array:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"`{name}` is no array")
    return value


def fitted(arrays: Mapping[str, Array], fields: Sequence[Field], dtype: str) -> Data:
    """Return the arrays as the module takes them, real numbers in `dtype`.

    Raises SymbpError for arrays that are missing, too many, of other shapes, of other lengths, not
    numbers or not finite, and for labels outside the classes.
    """
    check_names(arrays, [field.name for field in fields])
    found = [_fitted(field, np.asarray(arrays[field.name]), dtype) for field in fields]
    lengths = {f.name: len(a) for f, a in zip(fields, found, strict=True) if f.batched}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise SymbpError(f"the numbers of examples differ: {said}", "give each as many rows")
    examples = next(iter(lengths.values()), 1)
    if not examples:
        raise SymbpError("the data hold no example", "every row is one")
    return Data(tuple(found), tuple(field.batched for field in fields), examples)


def check_names(arrays: Iterable[str], wanted: Sequence[str]) -> None:
    """Raise SymbpError unless the arrays have exactly the names that are wanted."""
    given = list(arrays)
    takes = f"the spec takes {', '.join(wanted) or 'none'}"
    for name in wanted:
        if name not in given:
            near = did_you_mean(name, set(given) - {*wanted})
            has = f"its arrays are {', '.join(map(printable, given)) or 'none'}"
            help = f"is it `{printable(near)}`?" if near else f"{has}; {takes}"
            raise SymbpError(f"the data have no array `{name}`", help)
    for name in given:
        if name not in wanted:
            what = f"the data have an array `{printable(name)}` that the spec does not take"
            raise SymbpError(what, f"leave it out; {takes}")


def _fitted(field: Field, array: Array, dtype: str) -> Array:
    if array.dtype.kind not in "biuf":
        help = "give real numbers, as float64, float32 or whole numbers"
        raise SymbpError(f"`{field.name}` holds {array.dtype}, not real numbers", help)
    _check_shape(field, array)
    if field.classes is not None:
        return _labels(field, array)
    with np.errstate(over="ignore"):  # said below
        found = array.astype(dtype)
    bad = np.argwhere(~np.isfinite(found))
    if len(bad):
        place = tuple(map(int, bad[0]))
        what = f"`{field.name}` is not finite: {array[place]} at {list(place)}"
        others = f", and at {len(bad) - 1} more places" if len(bad) > 1 else ""
        raise SymbpError(what + others, "leave such examples out, or fill in what is missing")
    return found


def _check_shape(field: Field, array: Array) -> None:
    rows = ["N"] if field.batched else []
    given = array.shape[1:] if field.batched else array.shape
    if array.ndim == len(rows) + len(field.dims) and given == field.dims:
        return
    wanted = ", ".join(map(str, [*rows, *field.dims]))
    wanted = f"({wanted},)" if len(rows) + len(field.dims) == 1 else f"({wanted})"
    help = "a row is an example, N of them" if field.batched else "all examples share it"
    if field.classes is not None:
        help = f"give the index of the class of each example, 0 to {field.classes - 1}"
    raise SymbpError(f"`{field.name}` must have shape {wanted}, got {array.shape}", help)


def _labels(field: Field, array: Array) -> Array:
    assert field.classes is not None
    last = field.classes - 1
    if array.dtype.kind == "f":
        help = f"give whole numbers from 0 to {last}: `{field.name}.astype(int)`"
        raise SymbpError(f"`{field.name}` holds {array.dtype}, not the indices of classes", help)
    labels = array.astype(np.int64)
    bad = np.argwhere((array < 0) | (array > last))
    if len(bad):
        place = tuple(map(int, bad[0]))
        what = f"`{field.name}` is {array[place]} at {list(place)}, outside the classes 0 to {last}"
        raise SymbpError(what, "number the classes from 0, or give the spec more of them")
    return labels


def split(data: Data, holdout: float, seed: int) -> tuple[Data, Data | None]:
    """Return the examples to train on and the share that is held back, drawn by the seed."""
    if not holdout:
        return data, None
    count = max(round(holdout * data.examples), 1)
    if count >= data.examples:  # also where no array is batched: one example
        what = f"--holdout {holdout:g} leaves none of {data.examples} examples to train on"
        raise SymbpError(what, "hold less back")
    order = np.random.default_rng((seed, 1)).permutation(data.examples)  # apart from the run's own
    return data.part(np.sort(order[count:])), data.part(np.sort(order[:count]))
