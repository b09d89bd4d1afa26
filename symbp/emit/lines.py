"""What kind of line an expression makes: a view, a product, a one-hot difference."""

from collections.abc import Collection, Sequence

from symbp.ir import Expr, Sum, Variable, Words, symbol, variables, walk
from symbp.ops.kinds import Merge, Split
from symbp.ops.linear import parts
from symbp.ops.product import product
from symbp.ops.selection import Selection


def can_leave_out(expr: Expr, optional: Collection[Expr]) -> bool:
    """Tell whether an expression has a term without some variables, or none of them at all."""
    free = [not set(variables(arg)) & set(optional) for _, arg in parts(expr)]
    return all(free) or any(free)


def minus_one_hot(expr: Expr) -> tuple[Expr, Expr, bool] | None:
    """Return (p, y, weighted) of an expression p − e_y, or of that over the number of examples."""
    weighted = False
    if isinstance(expr.op, Words) and len(expr.args) == 2 and expr.op.words[0] == ():
        weight, rest = expr.args
        if isinstance(weight.op, Variable) and symbol(weight).role == "weight":
            weighted, expr = True, rest
    if not isinstance(expr.op, Sum) or list(expr.op.coefficients) != [1, -1]:
        return None
    values, labels = expr.args
    if not isinstance(labels.op, Variable) or symbol(labels).encoding != "one_hot":
        return None
    return values, labels, weighted


def is_array(var: Expr) -> bool:
    """Tell whether a value is an array for one example, and so worth working on in place."""
    batched = isinstance(var.op, Variable) and symbol(var).batched
    return var.rank > (1 if batched else 0)


def is_weight(expr: Expr) -> bool:
    """Tell whether an expression is the weight of an example."""
    return isinstance(expr.op, Variable) and symbol(expr).role == "weight"


def is_view(expr: Expr) -> bool:
    """Tell whether code for an expression may share its argument's storage: it only moves axes."""
    op = expr.op
    if isinstance(op, Merge | Split):
        return True
    if any(isinstance(arg.op, Selection) for arg in expr.args):
        return True  # a slice of another factor
    return isinstance(op, Words) and len(expr.args) == 1 and set(op.words[0]) <= set(op.out)


def is_product(expr: Expr) -> bool:
    """Tell whether an expression is a product that sums over a letter."""
    op = expr.op
    if not isinstance(op, Words) or is_view(expr):
        return False
    return len(expr.args) > 1 and any(i not in op.out for word in op.words for i in word)


def heavy(args: Sequence[Expr]) -> bool:
    """Tell whether a term of a sum is such a product."""
    return any(is_product(arg) for arg in args)


def count(expr: Expr, var: Expr) -> int:
    """Return how often an expression reads a variable."""
    return sum(arg is var for part in walk(expr) for arg in part.args)


def without(expr: Expr, op: Words, position: int) -> Expr | None:
    """Return the product without one factor, where it stays a product entry by entry."""
    pairs = enumerate(zip(expr.args, op.words, strict=True))
    rest = [pair for k, pair in pairs if k != position]
    if any(set(word) - set(op.out) for _, word in rest):
        return None
    if all(not word for _, word in rest):
        return product(rest, ())
    return product(rest, op.out, dict(enumerate(op.dims)))
