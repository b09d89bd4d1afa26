"""A spec from disk: text in UTF-8 of at most 1 MiB, or an error that says what it is instead."""

import codecs
import os
import stat
from pathlib import Path

from symbp.errors import Span, SpecError, SymbpError, did_you_mean, printable
from symbp.spec import limits, outline

_MARKS = {  # longest first: the mark of UTF-32 starts with that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_file(path: str | os.PathLike[str]) -> str:
    """Return the text of a spec file.

    Raises a SymbpError where there is no file to read, and a SpecError with a place where it is
    empty, binary, not UTF-8 or longer than 1 MiB.
    """
    name = printable(os.fspath(path))
    data = _read(Path(path), name)
    try:
        return _decoded(data)
    except SpecError as error:
        raise error.located("", name) from None


def _read(path: Path, name: str) -> bytes:
    """Return at most one byte more than the limit."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SymbpError(
                f"{name} is a folder, not a spec", f"name a file in it: {name.rstrip('/')}/….symbp"
            )
        if not stat.S_ISREG(mode):
            raise SymbpError(f"{name} is not a regular file", "save the spec in a file first")
        with path.open("rb") as file:
            return file.read(limits.BYTES + 1)
    except FileNotFoundError:
        raise SymbpError(f"no file {name}", _neighbours(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SymbpError(
            f"cannot read {name}: {reason}", "check the path and its permissions"
        ) from None


def clean(text: str) -> str:
    """Return `text` with line feeds as its only line ends and without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _neighbours(path: Path) -> str:
    """Return the advice for a file that is not there: a name that looks like it, if any."""
    try:
        near = did_you_mean(path.name, [other.name for other in path.parent.glob("*.symbp")])
    except OSError:
        near = None
    return f"did you mean {printable(str(path.with_name(near)))}?" if near else "check the path"


def _decoded(data: bytes) -> str:
    """Return the text of `data`, which may be one byte longer than the limit."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            raise _wrong_encoding(data, encoding)
    if b"\0" in data:
        if max(data[::2].count(0), data[1::2].count(0)) * 3 > len(data):
            raise _wrong_encoding(data, "UTF-16LE" if data[1:2] == b"\0" else "UTF-16BE")
        raise _at(
            data, data.index(0), "this is no text: it holds NUL bytes", "is it the right file?"
        )
    if len(data) > limits.BYTES:
        error = limits.too_big(Span(1, 1))
        raise _at(data, limits.BYTES, error.message, error.help)
    try:
        text = clean(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _at(
            data,
            error.start,
            f"this is no UTF-8: the byte 0x{data[error.start]:02x} is out of place",
            "convert it, for example `iconv -f LATIN1 -t UTF-8 old.symbp > new.symbp`",
        ) from None
    outline.check_size(text)
    return text


def _wrong_encoding(data: bytes, encoding: str) -> SpecError:
    return SpecError(
        f"this text is in {encoding[:6]}, a spec is in UTF-8",
        Span(1, 1),
        f"convert it: `iconv -f {encoding} -t UTF-8 old.symbp > new.symbp`",
        clean(data.decode(encoding, "replace")),
    )


def _at(data: bytes, offset: int, message: str, help: str | None) -> SpecError:
    """Return an error at a byte of `data`; what cannot be decoded is shown as `�`."""
    source = clean(data.decode("utf-8", "replace"))
    before = len(clean(data[:offset].decode("utf-8", "replace")))
    return SpecError(message, outline.position(source, before), help, source)
