"""A reader of printed formulas: the value of a Unicode or LaTeX text on NumPy arrays.

It reads the text alone, as a person would, so a missing transpose or parenthesis changes the
value.  Vectors are columns; names are single letters.
"""

import re

import numpy as np

TOKEN = re.compile(r"[a-z]{2,}|\d+|\S")
POWERS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", range(10), strict=True))
FUNCTIONS = {
    "vec": lambda x: x.T.reshape(-1, 1),
    "sum": lambda x: np.sum(x),
    "tr": lambda x: np.trace(x),
    "diag": lambda x: np.diag(x[:, 0]) if x.shape[1] == 1 else np.diag(x)[:, None],
    "norm": lambda x: np.sqrt(np.sum(np.square(x))),
    "tanh": np.tanh,
}


def from_latex(text):
    """Rewrite LaTeX as the Unicode text of the same meaning, every group in parentheses."""
    text = text.replace(r"\mathbf{1}", "𝟏")
    text = re.sub(r"\\(?:bm|operatorname|mathrm|mathbf)\{([A-Za-z1]+)\}", r"\1", text)
    text = re.sub(r"\\(?:bigg?|Bigg?)[lr]", "", text).replace(r"\,", " ")
    text = (
        text.replace(r"^{\top}", "ᵀ")
        .replace(r"\odot", "⊙")
        .replace(r"\otimes", "⊗")
        .replace("-", "−")
    )
    text = text.replace(r"\lVert", "‖").replace(r"\rVert", "‖").replace(r"\tanh", "tanh")
    text = re.sub(r"\^\{(\d)\}", lambda m: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(m[1])], text)
    while (found := re.search(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", text)) is not None:
        text = f"{text[: found.start()]}(({found[1]})/({found[2]})){text[found.end() :]}"
    assert "\\" not in text, text
    return text


def value(text, names, shape, ones="𝟏"):
    """Return the value of a formula whose result has the given shape."""
    text = re.sub("‖([^‖]*)‖", r"norm(\1)", text.replace(ones, "𝟏"))
    reader = Reader(text, names, shape)
    found = reader.total()
    assert reader.peek() is None, f"{text}: {reader.tokens[reader.position :]} left"
    return found


def is_scalar(x):
    return np.size(x) == 1


class Reader:
    def __init__(self, text, names, shape):
        self.tokens, self.position = TOKEN.findall(text), 0
        self.names, self.shape = names, (*shape, 1, 1)[:2]

    def peek(self):
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, token=None):
        found = self.peek()
        assert token is None or found == token, f"{token} expected, {found} read in {self.tokens}"
        self.position += 1
        return found

    def total(self):
        negative = self.peek() == "−" and self.take()
        found = self.product() * (-1 if negative else 1)
        while self.peek() in ("+", "−"):
            sign = 1 if self.take() == "+" else -1
            found = entrywise(np.add, found, sign * self.product())
        return found

    def product(self):
        found = self.fraction()
        while self.peek() in ("⊙", "⊗"):
            if self.take() == "⊙":
                found = entrywise(np.multiply, found, self.fraction())
            else:
                found = np.kron(found, self.fraction())
        return found

    def fraction(self):
        found = self.row()
        if self.peek() == "/":
            self.take()
            found = entrywise(np.divide, found, self.factor())
        return found

    def row(self):
        """Multiply what stands side by side; ones take their size from the neighbour."""
        items = [self.factor()]
        while self.peek() is not None and not re.match(r"[+−⊙⊗/,>]$|\)|\]", self.peek()):
            items.append(self.factor())
        scale, chain = 1.0, []
        for item in items:
            if isinstance(item, str) or not is_scalar(item):
                chain.append(item)
            else:
                scale = scale * np.reshape(item, ())
        return scale * self.chain(chain) if chain else scale

    def chain(self, items):
        for k, item in enumerate(items):
            if isinstance(item, str) and item == "𝟏":
                rows = np.shape(items[k - 1])[1] if k else self.shape[0]
                items[k] = np.ones((rows, 1))
            elif isinstance(item, str) and item == "𝟏ᵀ":
                last = k + 1 == len(items)
                columns = self.shape[1] if last else np.shape(items[k + 1])[0]
                items[k] = np.ones((1, columns))
            elif isinstance(item, str):
                items[k] = np.eye(self.shape[0])
        found = items[0]
        for item in items[1:]:
            found = found * item if is_scalar(found) or is_scalar(item) else found @ item
        return found

    def factor(self):
        found = self.atom()
        while True:
            token = self.peek()
            if token == "ᵀ":
                found = found + "ᵀ" if isinstance(found, str) else np.transpose(found)
            elif token in POWERS:
                found = found ** POWERS[token]
            else:
                return found
            self.take()

    def atom(self):
        token = self.take()
        if token == "(":
            found = self.total()
            self.take(")")
            return found
        if token == "√":
            return np.sqrt(self.factor())
        if token in FUNCTIONS:
            self.take("(")
            found = FUNCTIONS[token](self.total())
            self.take(")")
            return found
        if token in ("𝟏", "I"):
            return token
        return float(token) if token.isdigit() else column(self.names[token])


def is_words(text):
    """Tell whether a text is index words and no matrix expression."""
    return text.startswith("Σ_") or any("_" in item for item in _items(text))


def words_value(text, names, sizes):
    """Return the value of `Σ_k A_ik B_kj`; the result's letters are i, j, … of these sizes."""
    items = _items(text)
    out = "ijklmn"[: len(sizes)]
    if items[0].startswith("Σ_"):
        assert not set(items.pop(0)[2:]) & set(out), text
    words, arrays = list(out), [np.ones(size) for size in sizes]
    for item in items:
        above, *below = _items(item, "/")
        for part in [above, *(x for text in below for x in _items(_bare(text)))]:
            found, word = _entry(part, names, dict(zip(out, sizes, strict=True)))
            words.append(word)
            arrays.append(found if part is above else 1 / found)
    return np.einsum(",".join(words) + "->" + out, *arrays)


def _entry(item, names, sizes):
    """Return (array, letters) of `A_ij`, `(A B)_ij`, `A_ij²`, `δ_ij` or a scalar."""
    if item[-1] in POWERS and "_" in item:
        found, word = _entry(item[:-1], names, sizes)
        return found ** POWERS[item[-1]], word
    base, _, word = item.rpartition("_") if "_" in item else (item, "", "")
    if base == "δ":
        return np.eye(sizes[word[0]]), word
    found = names[base] if base in names else value(base, names, ())
    found = found[:, 0] if len(word) == 1 and np.ndim(found) == 2 else found
    return (found if word else np.reshape(found, ())), word


def _bare(text):
    """Return a product without the parentheses around it; those of `(A B)_ij` stay."""
    return text[1:-1] if text[0] == "(" and text[-1] == ")" else text


def _items(text, separator=" "):
    """Split a row at the spaces outside of parentheses."""
    items, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == separator and not depth:
            items.append("")
        else:
            items[-1] += character
    return items


def entrywise(function, one, other):
    assert is_scalar(one) or is_scalar(other) or np.shape(one) == np.shape(other), (one, other)
    one, other = (np.reshape(x, ()) if is_scalar(x) else x for x in (one, other))
    return function(one, other)


def column(array):
    array = np.asarray(array, float)
    return array[:, None] if array.ndim == 1 else array
