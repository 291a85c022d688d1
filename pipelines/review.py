"""`qfq review`: what waits for a decision, as a terminal shows it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from pipelines.warehouse.analysts import KINDS, euros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.warehouse.analysts import Pending


def show(items: Sequence[Pending], *, most: int, console: Console | None = None) -> None:
    """Print what waits for a decision: how many of each kind, then the first `most` with where and what to answer."""
    console = console or Console()
    if not items:
        console.print("Rien n'attend de décision.")
        return
    counts = Counter(item.kind for item in items)
    console.print(" ; ".join(f"{title} : {counts[kind]}" for kind, title in KINDS.items() if counts[kind]))
    for item in items[:most]:
        console.print(f"• [bold]{escape(euros(item.amount))}[/]  {escape(item.place)}")
        console.print(f"  {escape(item.question)}")
        console.print(f"  Dans {escape(item.answer_in)}, écrire : {escape(item.answer)}", soft_wrap=True)
    if len(items) > most:
        console.print(f"… et {len(items) - most} autres.")
