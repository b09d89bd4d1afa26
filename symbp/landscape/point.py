"""Where a module is looked at: numbers for its parameters and one example, that may be moved."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import SymbpError
from symbp.ir import Expr, name_of, size_symbol, size_value, symbol
from symbp.program import Program

Array = NDArray[Any]
Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Slot:
    """The numbers of one name: an array of ours, which is written to.

    owner: the name of its family, else its own.  place: where its array stands in Params, the
    field and the member; None for data.  classes: of a class index, which has no other numbers.
    """

    name: str
    owner: str
    array: Array
    place: tuple[int, int | None] | None = None
    symmetric: bool = False
    classes: int | None = None

    @property
    def kind(self) -> str:
        """What it is, in words."""
        shape = " × ".join(map(str, self.array.shape))
        words = ("a scalar", f"a vector of {shape}")
        rank = self.array.ndim
        return f"{self.name} is {words[rank] if rank < len(words) else f'a matrix, {shape}'}"

    def mirrored(self, index: Index) -> tuple[Index, ...]:
        """Return the index of an entry, and that of its mirror where it has to be its equal."""
        return tuple(dict.fromkeys([index, index[::-1]])) if self.symmetric else (index,)


@dataclass(frozen=True)
class Point:
    """Parameters and one example, as the functions of the module take them.

    slots: every name's numbers by its spellings; given: the names that were given numbers,
    and which.
    """

    params: Any
    data: tuple[Array, ...]
    slots: Mapping[str, Slot]
    given: dict[str, str] = field(default_factory=dict)

    def drawn(self) -> list[str]:
        """Return the names whose numbers were all drawn."""
        left = [slot for slot in self.slots.values() if not {slot.name, slot.owner} & {*self.given}]
        return list(dict.fromkeys(slot.name for slot in left))


@dataclass(frozen=True)
class Entry:
    """One number of a parameter: its name, and where it stands in the parameters."""

    name: str
    slot: Slot
    index: Index

    def put(self, value: float) -> None:
        """Write the number into the point."""
        for index in self.slot.mirrored(self.index):
            self.slot.array[index] = value

    def slope(self, grad: Any) -> float:
        """Return the derivative by the number, of a gradient in the form of Params."""
        assert self.slot.place is not None
        where, member = self.slot.place
        array = np.asarray(grad[where] if member is None else grad[where][member])
        return float(sum(array[index] for index in self.slot.mirrored(self.index)))


def by_every_param(program: Program) -> Program:
    """Return the program with gradients by all its params, those too that `wrt` leaves out.

    Raises SymbpError unless it has a loss, a param, and numbers for its sizes.
    """
    if program.loss is None:
        help = "end it with a line such as `loss = squared_error(y, f)`"
        raise SymbpError(f"{program.name} has no loss", help)
    if not program.params:
        help = "declare what is to move as `param`"
        raise SymbpError(f"{program.name} has no param", help)
    given = set(map(name_of, program.given))
    open_ends = [name for name in program.families if name not in given]
    missing = [name for name, number in program.sizes.items() if number is None] + open_ends
    if missing:
        help = f"give them: `{' '.join(f'--set {name}=3' for name in dict.fromkeys(missing))}`"
        what = f"{program.name} has sizes without a number: {', '.join(dict.fromkeys(missing))}"
        raise SymbpError(what, help)
    return replace(program, wrt=program.params)


def draw(program: Program, module: types.ModuleType, seed: int) -> Point:
    """Return parameters as the spec's `init` says, and one example of normal numbers."""
    rng = np.random.default_rng(seed)
    params = module.init_params(rng)
    _, data = module.sample(rng, 1)
    params = type(params)(
        *(tuple(map(np.array, x)) if isinstance(x, tuple) else np.array(x) for x in params)
    )
    data = tuple(map(np.array, data))
    return Point(params, data, _slots(program, params, data))


def _slots(program: Program, params: Any, data: Sequence[Array]) -> dict[str, Slot]:
    families = {name: family for family, names in program.tuples.items() for name in names}
    fields = list(dict.fromkeys(families.get(n, n) for n in map(name_of, program.params)))
    slots = dict[str, Slot]()
    for var in program.params:
        plain, symmetric = name_of(var), symbol(var).symmetric
        owner = families.get(plain, plain)
        where = fields.index(owner)
        if owner == plain:
            slots[plain] = Slot(plain, plain, params[where], (where, None), symmetric)
            continue
        member = program.tuples[owner].index(plain)
        name = f"{owner}[{plain.removeprefix(f'{owner}_')}]"
        slot = Slot(name, owner, params[where][member], (where, member), symmetric)
        slots |= {name: slot, plain: slot}
    arrays = (*program.inputs, *program.consts, *program.targets)
    for var, array in zip(arrays, data, strict=True):
        one = array[0, ...] if symbol(var).batched else array
        slots[name_of(var)] = Slot(
            name_of(var), name_of(var), one, None, symbol(var).symmetric, _classes(program, var)
        )
    return slots


def _classes(program: Program, var: Expr) -> int | None:
    if symbol(var).encoding != "one_hot":
        return None
    sizes = {size_symbol(name): n for name, n in program.sizes.items() if n is not None}
    return int(size_value(var.shape[0], sizes))
