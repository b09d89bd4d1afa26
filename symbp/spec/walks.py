"""Ways through a syntax tree that do not recurse, so that its depth costs no stack."""

from symbp.spec.syntax import Binary, Node, children


def topdown(root: Node) -> list[Node]:
    """Return the nodes of a tree, each before its children; the last ones are leaves."""
    nodes = [root]
    for node in nodes:  # grows as it is read
        nodes.extend(children(node))
    return nodes


def spine(at: Binary) -> list[Binary]:
    """Return `a + b`, `a + b + c`, … of a chain: the operations on the way down its left sides."""
    found = [at]
    while isinstance(found[-1].left, Binary):
        found.append(found[-1].left)
    return found[::-1]
