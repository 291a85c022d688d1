"""JSON that stands inside a script element: nothing in it can end the element or begin a comment."""

from __future__ import annotations

import json
from typing import Any

_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def script_json(value: Any) -> str:
    """`value` as JSON with sorted keys, its markup characters escaped."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).translate(_ESCAPED)
