"""The layout of reshapes: the Kronecker product, vec, and joined axes in general."""

from collections.abc import Mapping, Sequence

from symbp.emit.indices import spelled
from symbp.emit.layout import Applied, Kronecker, Layout, transposed
from symbp.ir import Expr, Words
from symbp.notation import Call
from symbp.ops.kinds import Merge, Split

_VEC = ((1, 0),)


def merged(part: Expr, op: Merge, layouts: Mapping[Expr, Layout]) -> Layout:
    """Return `A ⊗ B`, `vec(X)`, or `merge[ik, jl](…)` with the groups of axes that are joined."""
    (arg,) = part.args
    kronecker = _kronecker(arg, op, layouts)
    if kronecker is not None:
        return kronecker
    if op.groups == _VEC:
        return Applied((layouts[arg],), call=Call("vec", r"\operatorname{vec}"))
    groups = _groups(op.groups)
    call = Call(f"merge[{groups}]", rf"\operatorname{{merge}}_{{{groups}}}")
    return Applied((layouts[arg],), call=call)


def split(op: Split, layout: Layout) -> Layout:
    """Return `vec⁻¹(x)` or `split[ik, jl](…)`."""
    groups = _groups(op.groups)
    call = Call(f"split[{groups}]", rf"\operatorname{{split}}_{{{groups}}}")
    if op.groups == _VEC:
        call = Call("vec⁻¹", r"\operatorname{vec}^{-1}")
    return Applied((layout,), call=call)


def _groups(groups: Sequence[Sequence[int]]) -> str:
    spell = spelled(range(1 + max((axis for group in groups for axis in group), default=0)))
    return ", ".join("".join(spell[axis] for axis in group) for group in groups)


def _kronecker(arg: Expr, op: Merge, layouts: Mapping[Expr, Layout]) -> Layout | None:
    """Return A ⊗ B where entry (i k, j l) is A_ij B_kl."""
    words = arg.op
    if not isinstance(words, Words) or [len(group) for group in op.groups] != [2, 2]:
        return None
    if [len(word) for word in words.words] != [2, 2] or len(set(words.out)) != 4:
        return None
    (i, k), (j, l_) = ([words.out[axis] for axis in group] for group in op.groups)
    found = []
    for pair in ((i, j), (k, l_)):
        for factor, word in zip(arg.args, words.words, strict=True):
            if sorted(word) == sorted(pair):
                found.append(layouts[factor] if word == pair else transposed(layouts[factor]))
    return Kronecker(tuple(found)) if len(found) == 2 else None
