"""Guards: where NumPy would broadcast silently, or complain obscurely, the shape is checked."""

from collections.abc import Mapping, Sequence

from symbp.emit.dims import Dims
from symbp.emit.syntax import text
from symbp.ir import Dim, Expr, symbol
from symbp.lower.batch import EXAMPLES


def guard(var: Expr, names: Mapping[Expr, str], known: Sequence[Expr]) -> str:
    """Return the line that checks an argument's shape against what other arrays have."""
    name = names[var]
    several = [v for v in known if symbol(v).batched]
    if var.shape == (EXAMPLES,):
        if several and several[0].rank == 1:
            return f'{name} = _expect("{name}", {name}, *np.shape({names[several[0]]}))'
        if not several:
            return f'{name} = _numbers("{name}", {name})'
    dims = var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape
    texts = [_dim(dim, names, known) for dim in dims]
    return f"{name} = _expect({', '.join([f'{chr(34)}{name}{chr(34)}', name, *texts])})"


def _dim(dim: Dim, names: Mapping[Expr, str], known: Sequence[Expr]) -> str:
    if isinstance(dim, int):
        return str(dim)
    sizes: dict[Dim, str] = {}
    for var in known:
        for axis, own in enumerate(var.shape):
            place = f"{names[var]}.shape[{axis}]" if axis else f"len({names[var]})"
            sizes.setdefault(own, place)
    if dim in sizes or dim.free_symbols <= set(sizes):
        return text(Dims(sizes).size(dim))
    return '"N"' if dim == EXAMPLES else f'"{dim}"'


def guard_like(dot_var: Expr, var: Expr, names: Mapping[Expr, str]) -> str:
    """Return the line that checks a tangent's or an adjoint's shape against its variable's."""
    name = names[dot_var]
    return f'{name} = _expect("{name}", {name}, *np.shape({names[var]}))'


def optional_guard(moved: Expr, var: Expr, names: Mapping[Expr, str]) -> str:
    """Return the lines that check the tangent of an input, where it is given."""
    return f"if {names[moved]} is not None:\n    {guard_like(moved, var, names)}"
