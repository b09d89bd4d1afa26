"""The value of a layout tree: what a printed formula says, from its pieces and nothing else.

Vectors are columns.  𝟏 and I have no size of their own: they take it from their neighbours, and a
Kronecker factor from the size of the whole.  Index words are summed by `np.einsum`.
"""

import math

import numpy as np

from symbp.emit import layout as at

PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
FUNCTIONS = {
    "sum": np.sum,
    "tr": np.trace,
    "vec": lambda x: x.T.reshape(-1, 1),
    "diag": lambda x: np.diag(x[:, 0]) if x.shape[1] == 1 else np.diag(x)[:, None],
    "tanh": np.tanh,
    "exp": np.exp,
}


class Laid:
    """Evaluates layouts on arrays by name; `sizes` are the symbolic sizes."""

    def __init__(self, names, sizes):
        self.names, self.sizes = names, sizes

    def value(self, layout, shape):
        """Return the value of a layout that stands for an array of this shape."""
        if isinstance(layout, at.Entries):
            return self.entries(layout.parts[0], dict(zip(layout.letters, shape, strict=True)))
        if len(shape) > 2:  # an array by its name, or a multiple of it
            factor = float(layout.coefficient) if isinstance(layout, at.Multiple) else 1
            named = layout.parts[0] if isinstance(layout, at.Multiple) else layout
            return factor * self.names[named.variable.name]
        rows, columns = (*shape, 1, 1)[:2] if shape else (1, 1)
        found = self.matrix(layout, rows, columns)
        assert found is not None, layout
        return np.reshape(np.broadcast_to(found, (rows, columns)), shape)

    # matrices: two axes, `rows` and `columns` None where nothing says how many

    def matrix(self, layout, rows=None, columns=None):
        """Return the value with two axes, None where a size is missing."""
        match layout:
            case at.Named():
                return self.column(self.names[layout.variable.name])
            case at.Number():
                return np.full((1, 1), float(layout.value))
            case at.SizeName():
                return np.full((1, 1), float(self.sizes[layout.name]))
            case at.Sign(unicode="𝟏"):
                return None if rows is None else np.ones((rows, 1))
            case at.Sign(unicode="I"):
                size = columns if rows is None else rows
                return None if size is None else np.eye(size)
            case at.Commutation():
                return commutation(*(int(self.matrix(part)[0, 0]) for part in layout.parts))
            case at.Transposed():
                return turned(self.matrix(layout.parts[0], columns, rows))
            case at.Row():
                return self.row(layout.parts, rows, columns)
            case at.Kronecker():
                return self.kronecker(layout.parts, rows, columns)
            case at.Total():
                return self.total(layout, rows, columns)
            case at.Multiple():
                inner = self.matrix(layout.parts[0], rows, columns)
                return None if inner is None else float(layout.coefficient) * inner
        return self.function(layout, rows, columns)

    def function(self, layout, rows, columns):
        """Return the value of what is done to arrays entry by entry, or to a whole array."""
        match layout:
            case at.Product():
                return math.prod(self.entrywise(layout.parts, rows, columns))
            case at.Quotient():
                above, below = self.entrywise(layout.parts, rows, columns)
                return above / below
            case at.Power(exponent=None) | at.Applied(rows=True):
                raise NotImplementedError(layout)
            case at.Power():
                return self.matrix(layout.parts[0], rows, columns) ** float(layout.exponent)
            case at.Root():
                return np.sqrt(self.matrix(layout.parts[0], rows, columns))
            case at.Norm():
                return np.reshape(np.linalg.norm(self.matrix(layout.parts[0])), (1, 1))
            case at.MatrixPower():
                base = self.matrix(layout.parts[0], rows, columns)
                return np.linalg.matrix_power(base, int(layout.exponent))
            case at.Marked():
                base = self.matrix(layout.parts[0], rows, columns)
                if "ᵀ" in layout.mark.unicode:
                    return np.linalg.inv(base).T
                times = layout.mark.unicode.removeprefix("⁻").translate(PLAIN)
                return np.linalg.matrix_power(np.linalg.inv(base), int(times))
            case at.Applied():
                return self.applied(layout, rows, columns)
            case at.Summed():
                return np.reshape(self.entries(layout, {}), (1, 1))
        raise NotImplementedError(layout)

    def applied(self, layout, rows, columns):
        (part,), name = layout.parts, layout.call.unicode
        if name == "vec" and isinstance(part, at.Sign):
            inner = np.eye(math.isqrt(rows))
        elif name == "diag":
            inner = self.matrix(part, rows, 1) if is_column(part) else self.matrix(part)
        elif name == "vec" and None in (shape := self.form(part)) and rows:
            size = rows // next(known for known in shape if known)
            inner = self.matrix(part, *(size if known is None else known for known in shape))
        elif name in ("sum", "tr", "vec"):
            inner = self.matrix(part)
        else:
            inner = self.matrix(part, rows, columns)
        found = FUNCTIONS[name](inner)
        return np.reshape(found, (1, 1)) if np.ndim(found) == 0 else found

    def entrywise(self, parts, rows, columns):
        found = [self.matrix(part, rows, columns) for part in parts]
        shapes = {x.shape for x in found} - {(1, 1)}
        assert len(shapes) <= 1, (parts, shapes)
        return found

    def total(self, layout, rows, columns):
        terms = [self.matrix(part, rows, columns) for part in layout.parts]
        if any(term is None for term in terms):
            return None
        assert len({term.shape for term in terms} - {(1, 1)}) <= 1, layout
        return sum(-x if sign else x for sign, x in zip(layout.negative, terms, strict=True))

    def row(self, parts, rows, columns):
        """Multiply scalars and a chain of matrices; sizes pass from one neighbour to the next."""
        scalar = [is_scalar(part) for part in parts]
        chain = [part for part, alone in zip(parts, scalar, strict=True) if not alone]
        found = [None] * len(chain)
        for _ in chain:
            for k, part in enumerate(chain):
                before, after = found[k - 1] if k else None, (found[k + 1 :] or [None])[0]
                above = rows if not k else None if before is None else before.shape[1]
                beside = columns if k + 1 == len(chain) else None
                beside = beside if after is None else after.shape[0]
                found[k] = self.matrix(part, above, beside) if found[k] is None else found[k]
        if any(x is None for x in found):
            return None
        scale = math.prod(self.matrix(p)[0, 0] for p, s in zip(parts, scalar, strict=True) if s)
        return scale * multiplied(found) if found else np.full((1, 1), scale)

    def kronecker(self, parts, rows, columns):
        """Multiply the factors; one without a size has what the others leave of the whole."""
        found = [self.matrix(part) for part in parts]
        for _ in parts:
            known = zip(parts, found, strict=True)
            shapes = [self.form(part) if x is None else x.shape for part, x in known]
            for k, part in enumerate(parts):
                others = shapes[:k] + shapes[k + 1 :]
                left = [
                    None
                    if size is None or any(s[axis] is None for s in others)
                    else size // math.prod(s[axis] for s in others)
                    for axis, size in enumerate((rows, columns))
                ]
                found[k] = self.matrix(part, *left) if found[k] is None else found[k]
        if any(x is None for x in found):
            return None
        whole = np.ones((1, 1))
        for x in found:
            whole = np.kron(whole, x)
        return whole

    def form(self, part):
        """Return the shape of a piece as far as it says it: (None, 1) for 𝟏."""
        known = self.matrix(part)
        if known is not None:
            return known.shape
        match part:
            case at.Sign(unicode="𝟏"):
                return None, 1
            case at.Transposed():
                return self.form(part.parts[0])[::-1]
            case at.Row():
                chain = [inner for inner in part.parts if not is_scalar(inner)]
                return self.form(chain[0])[0], self.form(chain[-1])[1]
        return None, None

    # index words: axes by letter

    def entries(self, layout, sizes):
        """Return the array over the letters of `sizes`, in their order."""
        found, letters = self.indexed(layout, sizes)
        assert set(letters) <= set(sizes), layout
        return spread(found, letters, sizes)

    def indexed(self, layout, sizes):
        """Return (array, letters)."""
        match layout:
            case at.Total():
                pairs = [self.indexed(part, sizes) for part in layout.parts]
                have = sizes | {
                    i: d for x, word in pairs for i, d in zip(word, x.shape, strict=True)
                }
                terms = [spread(x, word, have) for x, word in pairs]
                signs = [-1 if sign else 1 for sign in layout.negative]
                return sum(s * t for s, t in zip(signs, terms, strict=True)), tuple(have)
            case at.Multiple():
                found, letters = self.indexed(layout.parts[0], sizes)
                return float(layout.coefficient) * found, letters
            case at.Summed():
                assert not set(layout.letters) & set(sizes), layout
                found, letters = self.indexed(layout.parts[0], sizes)
                assert set(layout.letters) <= set(letters), layout
                kept = tuple(letter for letter in letters if letter not in layout.letters)
                return np.einsum(f"{''.join(letters)}->{''.join(kept)}", found), kept
            case at.Row() if not is_scalar(layout):
                pairs = [self.indexed(part, sizes) for part in layout.parts]
                letters = tuple(dict.fromkeys(i for _, word in pairs for i in word))
                words = ",".join("".join(word) for _, word in pairs)
                return np.einsum(f"{words}->{''.join(letters)}", *(x for x, _ in pairs)), letters
            case at.Quotient():
                (above, letters), (below, word) = (self.indexed(p, sizes) for p in layout.parts)
                both = tuple(dict.fromkeys(letters + word))
                words = f"{''.join(letters)},{''.join(word)}->{''.join(both)}"
                return np.einsum(words, above, 1 / below), both
            case at.Power():
                found, letters = self.indexed(layout.parts[0], sizes)
                return found ** float(layout.exponent), letters
            case at.Applied() if layout.call.unicode in ("tanh", "exp"):
                found, letters = self.indexed(layout.parts[0], sizes)
                return FUNCTIONS[layout.call.unicode](found), letters
            case at.Indexed():
                return self.entry(layout.parts[0], layout.letters, sizes)
        return np.reshape(self.matrix(layout), ()), ()

    def entry(self, part, letters, sizes):
        """Return a part at its letters; a letter that stands twice takes the diagonal."""
        if part is at.DELTA:
            known = [sizes[letter] for letter in letters if letter in sizes]
            return np.eye(known[0]), letters
        wanted = [sizes.get(letter) for letter in letters]
        if isinstance(part, at.Entries):
            found = self.value(part, wanted)
        elif isinstance(part, at.Named) or len(letters) > 2:
            found = self.array(part)
        else:
            found = self.matrix(part, *wanted)
            found = found[:, 0] if len(letters) == 1 else found
        assert np.ndim(found) == len(letters), (part, letters)
        once = tuple(dict.fromkeys(letters))
        return np.einsum(f"{''.join(letters)}->{''.join(once)}", found), once

    def array(self, part):
        """Return what is done entry by entry to arrays of any number of axes."""
        if isinstance(part, at.Named):
            return np.asarray(self.names[part.variable.name], float)
        if isinstance(part, at.Number):
            return float(part.value)
        inner = [self.array(piece) for piece in part.parts]
        match part:
            case at.Total():
                return sum(-x if sign else x for sign, x in zip(part.negative, inner, strict=True))
            case at.Product():
                return math.prod(inner)
            case at.Quotient():
                return inner[0] / inner[1]
            case at.Power():
                return inner[0] ** float(part.exponent)
        raise NotImplementedError(part)

    def column(self, array):
        array = np.asarray(array, float)
        return np.reshape(array, (-1, 1) if array.ndim < 2 else array.shape)


def spread(array, letters, sizes):
    """Return an array repeated along the letters of `sizes` that it has not."""
    missing = [letter for letter in sizes if letter not in letters]
    arrays = [array, *(np.ones(sizes[letter]) for letter in missing)]
    words = ["".join(letters), *missing]
    return np.einsum(",".join(words) + "->" + "".join(sizes), *arrays)


def turned(array):
    return None if array is None else array.T


def multiplied(items):
    found = items[0]
    for item in items[1:]:
        found = found @ item
    return found


def is_scalar(part):
    """Tell whether a piece is a scalar by its form, whatever the sizes."""
    match part:
        case at.Named():
            return not part.variable.dims
        case at.Number() | at.SizeName() | at.Norm():
            return True
        case at.Applied():
            return part.call.unicode in ("tr", "sum") or (
                part.call.unicode in ("tanh", "exp") and is_scalar(part.parts[0])
            )
        case at.Row() if isinstance(part.parts[0], at.Transposed) and len(part.parts) > 1:
            return is_column(part.parts[-1]) and is_column(part.parts[0].parts[0])
        case at.Power() | at.Root() | at.Total() | at.Quotient() | at.Multiple() | at.Row():
            return all(is_scalar(inner) for inner in part.parts)
    return False


def is_column(part):
    """Tell whether a piece is a column by its form."""
    match part:
        case at.Named():
            return len(part.variable.dims) == 1
        case at.Sign(unicode="𝟏"):
            return True
        case at.Applied():
            if part.call.unicode == "diag":
                return not is_column(part.parts[0])
            return part.call.unicode == "vec" or (
                part.call.unicode in ("tanh", "exp") and is_column(part.parts[0])
            )
        case at.Row():
            return is_column(part.parts[-1])
        case at.Total() | at.Product() | at.Quotient() | at.Power() | at.Multiple():
            return any(is_column(inner) for inner in part.parts)
        case at.Kronecker():
            return all(is_column(inner) for inner in part.parts)
    return False


def commutation(p, q):
    """Return K with K vec(X) = vec(Xᵀ), from that definition, for X of p rows and q columns."""
    columns = []
    for place in range(p * q):
        unit = np.zeros(p * q)
        unit[place] = 1
        columns.append(unit.reshape(q, p).T.reshape(-1))
    return np.stack(columns, axis=1)
