"""What the browser is told to refuse: the site runs its own scripts alone and asks nothing of anybody else.

A page states it itself, so that it holds by double-click too; `qfq serve` says the same in a header.
"""

from __future__ import annotations

import base64
import hashlib

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'"
)
"""Of a page: scripts of the site's folder, none written in the page. Plotly writes the styles of what it draws."""


def alone(style: str) -> str:
    """Of a page that is a single file: no script at all, its one `style` element, widths of bars in attributes."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; style-src-attr 'unsafe-inline'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
