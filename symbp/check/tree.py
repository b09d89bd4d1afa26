"""Parameters as people keep them, seen as a list of named arrays.

A tree is an array, a number, or a tuple, list, NamedTuple or dict of trees.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Members(tuple[Any, ...]):
    """A tuple whose members are numbered from another number than 0."""

    first = 0


def leaves(tree: Any, name: str = "") -> list[tuple[str, Array]]:
    """Return `(name, array)` for each leaf: fields and keys by name, members by position."""
    return [(key, np.asarray(value)) for key, value in raw_leaves(tree, name)]


def raw_leaves(tree: Any, name: str = "") -> list[tuple[str, Any]]:
    """Return `(name, value)` for each leaf, of whatever type it is."""
    if not isinstance(tree, Mapping | tuple | list):
        return [(name or "theta", tree)]
    return [leaf for key, child in _children(tree, name) for leaf in raw_leaves(child, key)]


def arrays(tree: Any) -> list[Array]:
    """Return the leaves alone."""
    return [array for _, array in leaves(tree)]


def rebuild(like: Any, values: Iterable[Array]) -> Any:
    """Return a tree of the form of `like` holding `values` in the order of `leaves`."""
    return _fill(like, iter(values))


def transform(tree: Any, change: Callable[[Array], Array]) -> Any:
    """Return the tree with every leaf changed."""
    return rebuild(tree, [change(array) for array in arrays(tree)])


def is_real(array: Array) -> bool:
    """Tell whether an array holds floating-point numbers, hence can be differentiated by."""
    return np.issubdtype(array.dtype, np.floating)


def random_like(tree: Any, rng: np.random.Generator) -> Any:
    """Return a tree of normal random numbers, shapes and dtypes as in `tree`."""
    return transform(tree, lambda array: rng.standard_normal(array.shape).astype(array.dtype))


def _children(tree: Any, name: str) -> list[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        named = [(str(key), child) for key, child in tree.items()]
    elif hasattr(tree, "_fields"):
        named = list(zip(tree._fields, tree, strict=True))
    else:
        first = tree.first if isinstance(tree, Members) else 0
        return [(f"{name}[{k}]", child) for k, child in enumerate(tree, first)]
    return [(f"{name}.{key}" if name else key, child) for key, child in named]


def _fill(like: Any, values: Iterator[Array]) -> Any:
    if isinstance(like, Mapping):
        return {key: _fill(child, values) for key, child in like.items()}
    if isinstance(like, tuple | list):
        filled = [_fill(child, values) for child in like]
        return type(like)(*filled) if hasattr(like, "_fields") else type(like)(filled)
    value = next(values)
    return value if isinstance(like, np.ndarray) else value[()]
