"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from symbp.errors import SymbpError, printable


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: aside first, then in one move to its place.

    Its folder must be there.  Raises SymbpError where the system refuses.
    """
    with refusals(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what the system refuses into an error of ours."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        what = f"{printable(str(path))} cannot be written: {reason}"
        raise SymbpError(what, "check the folder and its permissions") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
