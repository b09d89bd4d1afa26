"""The product of two arrays whose axes have letters: `@`, broadcasting, or einsum."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symbp.emit.syntax import binary, call, literal, name, ratio, subscript, template


@dataclass(frozen=True)
class Term:
    """Code and the letters of its axes; None is an axis of length 1.

    plain: the code is a name.  is_mask: it is of truth values.  divisor: it is 1/divisor.
    like: for truth values, an array whose type their sum is to have.
    """

    code: ast.expr
    letters: tuple[int | None, ...]
    plain: bool = False
    is_mask: bool = False
    divisor: ast.expr | None = None
    like: str | None = None

    @cached_property
    def word(self) -> tuple[int, ...]:
        """The letters, without the axes of length 1."""
        return tuple([letter for letter in self.letters if letter is not None])

    def aligned(self, out: Sequence[int]) -> "Term":
        """Return code that broadcasts against an array with the axes `out`."""
        if not self.letters:
            return self
        term = self.squeezed()
        order = [letter for letter in out if letter in term.word]
        if order != list(term.word):
            term = _transposed(term, order)
        first = list(out).index(order[0])
        index = tuple(slice(None) if letter in order else None for letter in out[first:])
        if None not in index:
            letters = tuple(out[first:])
            return term if term.letters == letters else replace(term, letters=letters)
        axes = tuple(letter if letter in order else None for letter in out[first:])
        divisor = None if term.divisor is None else subscript(term.divisor, index)
        code = subscript(term.code, index)
        return Term(code, axes, is_mask=term.is_mask, divisor=divisor, like=term.like)

    def squeezed(self) -> "Term":
        """Return code without the axes of length 1."""
        if None not in self.letters:
            return self
        code = self.code
        if isinstance(code, ast.Subscript):
            return Term(code.value, self.word, is_mask=self.is_mask, like=self.like)
        single = [literal(k) for k, letter in enumerate(self.letters) if letter is None]
        axis = single[0] if len(single) == 1 else ast.Tuple(list(single), ast.Load())
        code = ast.Call(
            ast.parse("np.squeeze", mode="eval").body, [code], [ast.keyword("axis", axis)]
        )
        return Term(code, self.word, is_mask=self.is_mask, like=self.like)


def multiply(one: Term, other: Term, order: Sequence[int]) -> Term:
    """Return the product of two terms, summed over the letters that are not in `order`.

    The axes come in that order, where it costs nothing.
    """
    order = list(order)
    one, other = _reduced_alone(one, other, order), _reduced_alone(other, one, order)
    summed = [letter for letter in one.word if letter in other.word and letter not in order]
    if not summed:
        return _entrywise(one, other, order)
    if one.is_mask and other.is_mask:
        one = replace(one, code=_counted(one), is_mask=False)
    left = [letter for letter in one.word if letter not in summed]
    right = [letter for letter in other.word if letter not in summed]
    if len(summed) == 1 and not set(left) & set(right) and len(left) < 2 > len(right):
        return _matmul(one, other, summed[0], order)
    if set(one.word) == set(other.word):
        return _summed_product(one, other, order)
    return (
        _batched(one, other, summed, order)
        or _stacked(one, other, summed)
        or _stacked(other, one, summed)
        or _einsum(one, other, order)
    )


def reduced(term: Term, keep: Sequence[int]) -> Term:
    """Return a term summed over the letters that are not kept, diagonals taken."""
    if None in term.letters:
        term = term.squeezed()
    letters = term.word
    counted = {"dtype": f"{term.like}.dtype"} if term.is_mask and term.like else {}
    if len(set(letters)) < len(letters):
        if sorted(letters) == [letters[0]] * 2:
            if letters[0] in keep:
                return replace(term, code=call("np.diagonal", term.code), letters=letters[:1])
            return Term(call("np.trace", term.code, **counted), ())
        return einsum([term], tuple(letter for letter in keep if letter in letters))
    gone = [axis for axis, letter in enumerate(letters) if letter not in keep]
    if not gone:
        return term
    left = tuple(letter for letter in letters if letter in keep)
    if not left:
        return Term(call("np.sum", term.code, **counted), ())
    axes = literal(gone[0]) if len(gone) == 1 else ast.Tuple([literal(k) for k in gone], ast.Load())
    code = ast.Call(
        ast.Attribute(ast.Name("np", ast.Load()), "sum", ast.Load()),
        [term.code],
        [ast.keyword("axis", axes), *(ast.keyword(k, name(v)) for k, v in counted.items())],
    )
    if term.plain:
        code = ast.Call(ast.Attribute(term.code, "sum", ast.Load()), [], code.keywords)
    return Term(code, left)


def _reduced_alone(term: Term, other: Term, keep: Sequence[int]) -> Term:
    """Sum over the letters that only this term has and nobody keeps."""
    stay = [letter for letter in term.word if letter in keep or letter in other.word]
    if len(stay) < len(term.letters):
        return reduced(term, tuple(dict.fromkeys(stay)))
    return term


def _entrywise(one: Term, other: Term, order: list[int]) -> Term:
    if (not one.letters and other.letters) or one.is_mask or one.divisor is not None:
        one, other = (one, other) if not one.letters and one.divisor is None else (other, one)
    left, right = one.aligned(order), other.aligned(order)
    letters = joined(left.letters, right.letters)
    if right.divisor is not None:
        return Term(ratio(left.code, right.divisor), letters)
    both = left.is_mask and right.is_mask
    return Term(binary(left.code, "*", right.code), letters, is_mask=both, like=left.like)


def joined(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Return the letters of two arrays broadcast against each other."""
    length = max(len(one), len(other))
    padded = [(None,) * (length - len(side)) + side for side in (one, other)]
    return tuple(b if a is None else a for a, b in zip(*padded, strict=True))


def _matmul(one: Term, other: Term, letter: int, order: list[int]) -> Term:
    free = [next((i for i in term.word if i != letter), None) for term in (one, other)]
    if free[0] is None and free[1] is None:
        return Term(call("np.dot", one.code, other.code), ())
    rows, columns = free
    if rows is not None and columns is not None:
        if order.index(rows) > order.index(columns):
            one, other, rows, columns = other, one, columns, rows
        left, right = _transposed(one, [rows, letter]), _transposed(other, [letter, columns])
        return Term(binary(left.code, "@", right.code), (rows, columns))
    matrix, vector = (one, other) if free[0] is not None else (other, one)
    left, right = (matrix, vector) if matrix.word[1] == letter else (vector, matrix)
    if vector.is_mask:
        return _summed_product(matrix, vector, order)
    kept = tuple(i for i in free if i is not None)
    return Term(binary(left.code, "@", right.code), kept)


def _summed_product(one: Term, other: Term, order: list[int]) -> Term:
    """Return np.sum(a * b, axis=…) of two arrays that have the same axes."""
    longer = one if len(one.word) >= len(other.word) else other
    product = _entrywise(one, other, list(longer.word))
    return reduced(replace(product, letters=longer.word), tuple(order))


def _batched(one: Term, other: Term, summed: list[int], order: list[int]) -> Term | None:
    """Return a stack of matrix products where both have the same leading axis."""
    if len(summed) != 1 or len(one.letters) != 3 or len(other.letters) != 3:
        return None
    lead, letter = one.letters[0], summed[0]
    if lead is None or other.letters[0] != lead or order[:1] != [lead]:
        return None
    free = [next(i for i in term.word if i not in (lead, letter)) for term in (one, other)]
    if order.index(free[0]) > order.index(free[1]):
        one, other, free = other, one, free[::-1]
    left, right = _swapped(one, letter, last=True), _swapped(other, letter, last=False)
    return Term(binary(left, "@", right), (lead, *free))


def _stacked(one: Term, other: Term, summed: list[int]) -> Term | None:
    """Return a stack of matrices, more than two axes, times one matrix or vector."""
    if len(summed) != 1 or len(one.letters) < 3 or len(other.word) > 2 or None in one.letters:
        return None
    free = [letter for letter in other.word if letter not in summed]
    if one.letters[-1] != summed[0] or set(free) & set(one.letters) or other.is_mask:
        return None
    right = _transposed(other, [*summed, *free])
    return Term(binary(one.code, "@", right.code), (*one.letters[:-1], *free))


def _swapped(term: Term, letter: int, *, last: bool) -> ast.expr:
    if (term.letters[2] == letter) is last:
        return term.code
    return call("np.swapaxes", term.code, literal(1), literal(2))


def _einsum(one: Term, other: Term, order: list[int]) -> Term:
    return einsum([one.squeezed(), other.squeezed()], tuple(order))


def einsum(terms: Sequence[Term], order: tuple[int, ...]) -> Term:
    """Return one `np.einsum` of terms, the letters of the result spelled first: i, j, k."""
    spell = dict(
        zip(dict.fromkeys([*order, *(i for t in terms for i in t.word)]), _ALPHABET, strict=False)
    )
    words = ",".join("".join(spell[i] for i in term.word) for term in terms)
    pattern = f"{words}->{''.join(spell[i] for i in order)}"
    masks = all(term.is_mask for term in terms)
    summed = masks and any(i not in order for term in terms for i in term.word)
    codes = [_counted(term) if summed else term.code for term in terms]
    return Term(
        call("np.einsum", ast.Constant(pattern), *codes),
        order,
        is_mask=masks and not summed,
        like=terms[0].like,
    )


def _counted(term: Term) -> ast.expr:
    """Return truth values as numbers: einsum's sum of truth values says whether any holds."""
    typed = f"({{z}}).astype({term.like}.dtype)" if term.like else "({z}).astype(float)"
    return template(typed, {"z": term.code})


_ALPHABET = "ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH"


def _transposed(term: Term, order: Sequence[int]) -> Term:
    term = term.squeezed()
    if list(term.word) == list(order):
        return term
    axes = [term.word.index(letter) for letter in order]
    divisor = term.divisor
    if axes == [1, 0]:
        code: ast.expr = ast.Attribute(term.code, "T", ast.Load())
        divisor = None if divisor is None else ast.Attribute(divisor, "T", ast.Load())
    else:
        code = call("np.transpose", term.code, ast.Tuple([literal(k) for k in axes], ast.Load()))
        divisor = None
    return Term(code, tuple(order), is_mask=term.is_mask, divisor=divisor, like=term.like)
