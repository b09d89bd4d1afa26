"""The products with weights that a line sums: what of it is fresh, and how each weight is read."""

from symbp.ir import Expr
from symbp.moments.knowledge import Knowledge
from symbp.moments.known import Product
from symbp.moments.terms import Term, entry
from symbp.ops.product import Factor, Word, product


def is_outer(term: Term, word: Word) -> bool:
    """Tell whether a factor stands outside of a term's sums."""
    return not {*word} & {*term.summed}


def is_fresh(term: Term, knowledge: Knowledge) -> bool:
    """Tell whether a term is a product with weights of mean zero, summed, another in each entry.

    Of u vᵀ x the sum is one number, which all entries share.
    """
    inner = [(factor, word) for factor, word in term.factors if not is_outer(term, word)]
    if not {*term.out} <= {letter for _, word in inner for letter in word}:
        return False
    return any(knowledge.is_weight(entry(factor)) for factor, _ in inner)


def products(term: Term, knowledge: Knowledge) -> list[Product]:
    """Return each weight that is summed over, the axis it is summed along, what it multiplies."""
    inner = [(f, w) for f, w in term.factors if not is_outer(term, w)]
    weights = [k for k, (factor, _) in enumerate(inner) if knowledge.is_weight(entry(factor))]
    far = _distances(term)
    made = []
    for k in weights:
        factor, word = inner[k]
        axis = max(range(len(word)), key=lambda a, w=word: far.get(w[a], 0))  # type: ignore[misc]
        nearer = {j for j in weights if j != k and _ends(inner[j], far) <= _starts(word, far)}
        read = [one for j, one in enumerate(inner) if j != k and j not in nearer]
        others = [one for j, one in enumerate(inner) if j != k]
        turns = len({far.get(letter) for letter in word}) == len(word)
        made.append(
            Product(entry(factor), axis, _entries(others), _entries(read) if turns else None)
        )
    return made


def _entries(factors: list[Factor]) -> Expr:
    return product([(entry(factor), ()) for factor, _ in factors], ())


def _starts(word: Word, far: dict[int, int]) -> int:
    return min(far.get(letter, 0) for letter in word)


def _ends(factor: Factor, far: dict[int, int]) -> int:
    return max(far.get(letter, 0) for letter in factor[1])


def _distances(term: Term) -> dict[int, int]:
    """Return how far each letter is from the line's own: 2 for the k of A_ij B_jk x_k."""
    far = dict.fromkeys(term.out, 0)
    for _ in term.factors:
        for _, word in term.factors:
            known = [far[letter] for letter in word if letter in far]
            for letter in word if known else ():
                far[letter] = min(far.get(letter, len(term.factors) + 1), min(known) + 1)
    return far
