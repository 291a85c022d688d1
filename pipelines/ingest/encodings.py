"""Bytes → text, whatever encodings stand in them, and text encoded twice → text.

A file is one encoding, or several glued together line by line. What was encoded twice (`Ã©` for `é`) is put right where
the repair is certain; a character already replaced by `�` is lost, and only said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.sheet import UnreadableFileError
from schemas.distinct import Distinct, holding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FRENCH_LETTERS = frozenset("éèêëàâçîïôöùûüœæÉÈÊËÀÂÇÎÏÔÖÙÛÜŒÆ’‘“”«»€°–…\u00a0")
_LEGACY_ENCODINGS = ("cp1252", "mac_roman", "cp850")
_FEWEST_CONTROL = 0.01
_HEAD = 100_000  # characters looked at
_PIECE = 1024**2  # bytes decoded at a time: what the processor keeps at hand is read five times faster
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Bytes 0x80-0xBF as cp1252 shows them (five of them have no character there and stay control characters), and as
# ISO 8859-1 does (all of 0x80-0x9F are control characters there).
_CONTINUATION = "".join(
    bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
    for byte in range(0x80, 0xC0)
) + "".join(map(chr, range(0x80, 0xA0)))
_TWICE = re.compile(f"(?:[Â-ß][{re.escape(_CONTINUATION)}]|[à-ï][{re.escape(_CONTINUATION)}]{{2}})")
# What French texts hold beyond ASCII: nothing else is worth a repair, and « É« » must not become « ɫ ».
_WRITTEN = frozenset(map(chr, range(0xA0, 0x100))) | frozenset("œŒŸŠšŽž€‘’‚“”„†•…–—‹›™−\u202f\u2009\u2011")
_HINT = r"[ÂÃÅâ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ€]"


def decode(content: bytes) -> tuple[str, str]:
    """The text of `content` and the name of its encoding, or encodings: see `as_utf8`."""
    encoded, encoding = as_utf8(content)
    return encoded.decode("utf-8"), encoding


def as_utf8(content: bytes) -> tuple[bytes, str]:
    """The text of `content`, in UTF-8 without a mark, and the name of the encoding, or encodings, it came in.

    A byte order mark of UTF-16 decides. Else UTF-8 if all of it fits; else each line that is not UTF-8 is read in the
    legacy encoding that yields most French letters over these lines: a mark of UTF-8 followed by cp1252 is thus read
    right, and so are files glued together.
    Raises `UnreadableFileError` when control characters show that this is no text at all.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if encoding == "utf-16":
                return _checked(content.decode(encoding, errors="replace").encode()), encoding
            content = content.removeprefix(mark)
            break
    if _is_utf8(content):
        return _checked(content), "utf-8"
    return _line_by_line(content)


def _line_by_line(content: bytes) -> tuple[bytes, str]:
    lines = content.split(b"\n")
    odd = [position for position, line in enumerate(lines) if not _is_utf8(line)]
    best = _best_legacy(lines[position] for position in odd)
    wide = sum(1 for line in lines if not line.isascii()) - len(odd)
    if not wide:
        return _checked(content.decode(best, errors="replace").encode()), best
    for position in odd:
        lines[position] = lines[position].decode(best, errors="replace").encode()
    return _checked(b"\n".join(lines)), f"utf-8 et {best} ({len(odd)} lignes)"


def _is_utf8(text: bytes) -> bool:
    try:
        for piece in pieces(text):
            piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def pieces(text: bytes) -> Iterator[bytes]:
    """`text` in parts of whole lines, so that what is made of a part weighs little."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + _PIECE) + 1 or len(text)
        yield text[start:end]
        start = end


def _best_legacy(lines: Iterable[bytes]) -> str:
    sample = b"\n".join(lines)[:2_000_000]
    return max(_LEGACY_ENCODINGS, key=lambda name: _french_letters(sample.decode(name, errors="replace")))


def _french_letters(text: str) -> int:
    return sum(1 if character in _FRENCH_LETTERS else -1 for character in text if ord(character) > 127)


def _checked(text: bytes) -> bytes:
    head = text[: 4 * _HEAD].decode("utf-8", errors="ignore")[:_HEAD]
    control = sum(1 for character in head if ord(character) < 32 and character not in "\t\n\r\f\v")
    if control > _FEWEST_CONTROL * max(len(head), 100):
        raise UnreadableFileError("Ce fichier n'est pas un tableau : son contenu n'est pas du texte.")
    return text


def decoded_once(text: str) -> str:
    """`text` with what was encoded twice put right: `Ã©` → `é`, `â‚¬` → `€`; anything else as it is."""
    return _TWICE.sub(lambda found: _once(found[0]), text)


def _once(text: str) -> str:
    raw = b"".join(
        bytes([ord(character)]) if ord(character) < 0x100 else character.encode("cp1252") for character in text
    )
    try:
        right = raw.decode("utf-8")
    except UnicodeDecodeError:
        return text
    return right if right in _WRITTEN else text


def repaired_columns(columns: Mapping[str, Distinct]) -> dict[str, tuple[Distinct, int]]:
    """Those of `columns` where something was encoded twice, put right, each with how many cells changed."""
    repaired = {}
    text = pl.all()
    for name in holding(columns, text.str.len_bytes() != text.str.len_chars()):  # far quicker than the pattern
        column = columns[name]
        suspects = column.cells.filter(column.cells.str.contains(_HINT)).unique()
        wrong = {text: right for text in suspects.to_list() if (right := decoded_once(text)) != text}
        if wrong:
            changed = int(column.over(column.cells.is_in(list(wrong))).sum())
            repaired[name] = (Distinct.of(column.over(column.cells.replace(wrong))), changed)
    return repaired
