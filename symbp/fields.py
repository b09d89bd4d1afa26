"""What a program is trained on: the arrays it is given, and the sizes that they tell."""

from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np
import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, name_of, size_symbol, size_value, symbol
from symbp.ops.kinds import Elementwise
from symbp.program import Program
from symbp.training.data import Array, Field
from symbp.training.model import Judged


def check_trainable(program: Program) -> None:
    """Raise SymbpError where there is no loss to lower, or no parameter to lower it by."""
    if not isinstance(program, Program):
        kind = type(program).__name__
        raise SymbpError(f"a Program is trained, not a {kind}", "`symbp.load(path)` makes one")
    if program.loss is None:
        raise SymbpError(f"{program.name} has no loss to lower", "write `loss = …` in the spec")
    if not set(program.params) & set(program.wrt):
        help = "declare a `param`; `wrt` must name one"
        raise SymbpError(f"{program.name} has no parameter to train", help)


def given(program: Program) -> tuple[Expr, ...]:
    """Return what the module takes besides parameters, in its order."""
    return (*program.inputs, *program.consts, *program.targets)


def read_sizes(program: Program, arrays: Mapping[str, Array]) -> dict[str, int]:
    """Return the numbers of sizes: the spec's own, and those that shapes of arrays tell.

    Arrays that are missing, or have other axes, tell nothing; what is wrong is said later.
    """
    found = {name: number for name, number in program.sizes.items() if number is not None}
    for var in given(program):
        array, dims = arrays.get(name_of(var)), _dims(var)
        rows = int(symbol(var).batched)
        if array is None or array.ndim != rows + len(dims):
            continue
        for dim, number in zip(dims, array.shape[rows:], strict=True):
            if isinstance(dim, sp.Symbol) and number:
                found.setdefault(dim.name, number)
    return found


def fields(program: Program, sizes: Mapping[str, int]) -> list[Field]:
    """Return what the arrays must be; raise SymbpError where that depends on a size unknown."""
    return [_field(var, sizes) for var in given(program)]


def _field(var: Expr, sizes: Mapping[str, int]) -> Field:
    op = symbol(var)
    if op.index:
        what = f"`{op.name}` is a family of any length, which training does not take"
        raise SymbpError(what, "give its length a number, as `--set T=5`")
    classes = _number(op.dims[-1], sizes, op.name) if op.encoding == "one_hot" else None
    dims = tuple(_number(dim, sizes, op.name) for dim in _dims(var))
    return Field(op.name, dims, op.batched, classes)


def _dims(var: Expr) -> Sequence[Dim]:
    """Return the axes of the array of one example: class indices have no axis of classes."""
    return var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape


def _number(dim: Dim, sizes: Mapping[str, int], name: str) -> int:
    value = size_value(dim, {size_symbol(size): number for size, number in sizes.items()})
    if isinstance(value, int):
        return value
    written = str(value).replace("(", "[").replace(")", "]")
    what = f"`{name}` has a size {written} without a number"
    raise SymbpError(what, _SET.format(written.partition("[")[0]))


_SET = "give it one: `--set {}=10`, or for a family of sizes `--set D=784,128,10`"


def module_sizes(module: ModuleType, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes that a module asks for; raise SymbpError where one has no number."""
    asked = list(getattr(module, "SIZES", {}))
    for name in asked:
        if name not in sizes:
            what = f"the size {name} has no number, and the data do not tell it"
            raise SymbpError(what, _SET.format(name))
    return {name: sizes[name] for name in asked}


def judged(program: Program, arrays: Mapping[str, Array]) -> Judged | None:
    """Return how a prediction is right or wrong, None where it is a number to come near to.

    The output has an entry for each class of the one target; or it is one sigmoid, and the one
    target 0 or 1.
    """
    if len(program.targets) != 1 or program.output is None:
        return None
    (target,), output = program.targets, program.output
    place = given(program).index(target)
    if symbol(target).encoding == "one_hot":
        return Judged("classes", place) if output.shape == target.shape else None
    made = program.definition(output)
    sigmoid = made is not None and isinstance(made.op, Elementwise) and made.op.name == "sigmoid"
    y = arrays[name_of(target)]
    single = y.size == len(y) and output.shape == target.shape
    return Judged("binary", place) if sigmoid and single and np.isin(y, (0, 1)).all() else None
