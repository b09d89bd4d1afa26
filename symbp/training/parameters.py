"""Parameters by their names in the spec, `Omega[1]` of a family: as arrays, and in files."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import SymbpError, printable
from symbp.files import MARK, check_place, write_whole
from symbp.training.data import check_names, read

Array = NDArray[Any]

KIND = "parameters"


def named(module: ModuleType, params: Any) -> dict[str, Array]:
    """Return the arrays of a module's Params by their names, in the order of the flat vector."""
    found: dict[str, Array] = {}
    first: Mapping[str, int] = getattr(module, "FIRST", {})
    for field, value in zip(params._fields, params, strict=True):
        if field in first:
            found |= {f"{field}[{k}]": array for k, array in enumerate(value, first[field])}
        else:
            found[field] = value
    return {name: np.asarray(array) for name, array in found.items()}


def gathered(module: ModuleType, arrays: Mapping[str, Array]) -> Any:
    """Return the Params of a module that hold these arrays: the inverse of `named`.

    Raises SymbpError where an array is missing, too many or of another shape.
    """
    first: Mapping[str, int] = getattr(module, "FIRST", {})
    values: dict[str, Any] = {}
    wanted: list[str] = []
    for field in module.Params._fields:
        if field not in first:
            wanted.append(field)
            values[field] = arrays.get(field)
            continue
        count = sum(name.startswith(f"{field}[") for name in arrays)
        members = [f"{field}[{k}]" for k in range(first[field], first[field] + count)]
        wanted += members or [f"{field}[{first[field]}]"]
        values[field] = tuple(arrays.get(name) for name in members)
    check_names(arrays, wanted)
    try:
        return module.as_params(values)
    except ValueError as error:
        raise SymbpError(str(error), "these are the parameters of another network") from error


def save(path: Path | str, module: ModuleType, params: Any, force: bool = False) -> None:
    """Write the parameters as an `.npz` file, one array each, whole or not at all.

    Raises SymbpError where `check_target` does.
    """
    check_target(Path(path), KIND, force)
    write_whole(Path(path), packed(named(module, params), KIND), force)


def load(path: Path | str, module: ModuleType) -> Any:
    """Return the Params of a module from a file that `save` wrote; raise SymbpError otherwise."""
    return gathered(module, read(Path(path)))


def packed(arrays: Mapping[str, Array], kind: str) -> bytes:
    """Return an `.npz` file that says at its end that it is ours, and of what kind."""
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with zipfile.ZipFile(buffer, "a") as file:
        file.comment = f"{MARK}: {kind}".encode()
    return buffer.getvalue()


def check_target(path: Path, kind: str, force: bool = False) -> None:
    """Raise SymbpError where a file of this kind cannot be written: another's, or another kind."""
    check_place(path, force)
    if not force and path.exists():
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 200, 0))
            ours = f"{MARK}: {kind}".encode() in file.read()
        if not ours:
            what = f"{printable(str(path))} does not hold {kind} and is left as it is"
            raise SymbpError(what, "choose another name, or pass --force to overwrite it")
