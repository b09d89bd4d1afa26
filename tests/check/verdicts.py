"""What the tests of the judge ask of a certificate."""


def flagged(certificate, mode, quantity):
    """Return the row that must have failed, its message holding what a reader needs."""
    assert not certificate.ok
    rows = [row for row in certificate.failures if (row.mode, row.quantity) == (mode, quantity)]
    assert rows, certificate.format()
    line = next(line for line in certificate.format().splitlines() if rows[0].format() in line)
    assert line.startswith(f"FAIL {mode} of {quantity}")
    return rows[0]


def only(certificate, *keys):
    """Assert that nothing failed but these (mode, quantity)."""
    assert {(row.mode, row.quantity) for row in certificate.failures} == set(keys)
