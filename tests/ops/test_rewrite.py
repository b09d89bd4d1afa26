"""Rewriting in short cuts gives what building anew gives, node for node."""

import pytest

from symbp.expr import SHORT, _walked
from symbp.ir import Expr, Size, node, size_symbol, variable, walk
from symbp.lower.batch import EXAMPLES
from symbp.ops.linear import add, number, scale, subtract
from symbp.ops.pointwise import RELU, TANH
from symbp.ops.product import contract, hadamard, transpose
from symbp.ops.rewrite import lift, resize
from symbp.ops.scalar import apply

N, M = size_symbol("n"), size_symbol("m")


def spoken(n: object, m: object) -> list[Expr]:
    """Return expressions over arrays of the sizes n and m, each in normal form."""
    w = variable("W", (m, n))
    s = variable("S", (n, n), symmetric=True)
    x, y = variable("x", (n,)), variable("y", (n,))
    one = number(1, (n,))
    size = node(Size(n)) if n is N else number(n)
    return [
        contract("ij,j->i", w, x),
        contract("ij,jk,k->i", w, s, x),
        contract("i,ij,j->", x, s, y),
        hadamard(subtract(one, hadamard(x, x)), y),
        hadamard(apply(TANH, x), apply(RELU, y), x),
        hadamard(subtract(y, x), contract("ji,j->i", w, contract("ij,j->i", w, y))),
        scale(2, add(x, scale(3, y))),
        hadamard(size, add(x, y)),
        add(transpose(w), contract("i,j->ij", x, contract("ij,j->i", w, y))),
        subtract(contract("i,j->ij", x, y), s),
    ]


@pytest.mark.parametrize("k", range(10))
def test_an_expression_at_its_sizes_is_the_one_built_there(k: int) -> None:
    assert resize(spoken(N, M)[k], {N: 3, M: 4}) is spoken(3, 4)[k]


def test_a_product_with_examples_is_the_one_built_with_them() -> None:
    w, x, y = variable("W", (M, N)), variable("x", (N,)), variable("y", (N,))
    many = {v: variable(v.op.name, (EXAMPLES, N)) for v in (x, y)}
    big, other = many[x], many[y]
    assert lift(contract("ij,j->i", w, x), many, EXAMPLES) is contract("ij,nj->ni", w, big)
    assert lift(hadamard(x, y), many, EXAMPLES) is hadamard(big, other)
    slope = hadamard(subtract(number(1, (N,)), hadamard(x, x)), y)
    ones = number(1, (EXAMPLES, N))
    expected = hadamard(subtract(ones, hadamard(big, big)), other)
    assert lift(slope, many, EXAMPLES) is expected


def test_the_kept_order_of_parts_is_that_of_the_walk() -> None:
    for expr in spoken(N, M):
        assert expr.size <= SHORT
        assert list(walk(expr)) == list(_walked((expr,), False)) == list(walk(expr))


def test_a_node_knows_what_kinds_are_below() -> None:
    x = variable("x", (N,), "input")
    half = scale(2, apply(TANH, x))
    assert half.kinds == {"Sum", "Elementwise", "tanh", "Variable", "input", "dense"}
