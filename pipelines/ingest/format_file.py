"""A format as the text of its TOML file, ready to be read again and saved in `schemas/formats/`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.format import Format

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")
_TABLES = ("recognise", "fields", "constants", "decision", "layout", "year", "ignore", "expect")


def format_toml(format_: Format, *, remarks: Sequence[str] = (), notes: Mapping[str, str] | None = None) -> str:
    """The TOML text of `format_`, without its id (the name of the file) nor what is by default.

    `remarks` are comments at the top; `notes`: field → comment above its table. `load_format` gives `format_` back.
    """
    body = format_.model_dump(exclude={"id"}, exclude_defaults=True)
    lines = [f"# {_one_line(remark)}" for remark in remarks]
    lines += [f"{key} = {_value(body[key])}" for key in body if key not in _TABLES]
    for table in _TABLES:
        if table == "fields":
            for name, rule in body["fields"].items():
                lines += ["", *([f"# {_one_line(notes[name])}"] if notes and name in notes else []), f"[fields.{name}]"]
                lines += _pairs(rule)
        elif body.get(table):
            lines += ["", f"[{table}]", *_pairs(body[table])]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(text: str) -> str:
    return text if _BARE.match(text) else _string(text)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(own)}" for key, own in value.items() if own is not None) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(own) for own in value) + "]"
    return repr(value)


def _string(text: str) -> str:
    """A TOML string on one line; what cannot be seen (controls, no-break spaces, changes of direction) is escaped."""
    return "".join(_seen(character) for character in json.dumps(text, ensure_ascii=False))


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
