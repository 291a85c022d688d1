"""« Données »: every public table as CSV and Parquet, with rows, size and sha256."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from pipelines.publish import comma_separated
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from pipelines.publish.context import Context


def build(context: Context) -> Iterator[Output]:
    """The files, their sums, and the page that lists them."""
    listed, sums = [], []
    for name in context.database.tables():
        frame = context.database.typed(f'SELECT * FROM "{name}" ORDER BY ALL')
        files = []
        for kind, content in (("CSV", comma_separated.to_bytes(frame)), ("Parquet", _parquet(frame))):
            output = Output(f"data/{name}.{kind.lower()}", content)
            digest = hashlib.sha256(content).hexdigest()
            files.append({"kind": kind, "path": output.path, "size": len(content), "sha256": digest})
            sums.append(f"{digest}  {name}.{kind.lower()}")
            yield output
        listed.append({"name": name, "comment": context.database.comment(name), "rows": frame.height, "files": files})
    yield Output("data/SHA256SUMS.txt", ("\n".join(sorted(sums, key=lambda line: line[66:])) + "\n").encode())
    yield from context.page(
        REPORT.page,
        "downloads.html.j2",
        report=REPORT,
        title="Données",
        description=REPORT.description,
        kicker="Réutiliser",
        lead="Toutes les données de ces pages, à télécharger. Rien n'est coupé : chaque fichier a toutes ses lignes.",
        tables=listed,
    )


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", row_group_size=100_000)
    return buffer.getvalue()


REPORT = Report(
    name="donnees",
    title="Données à télécharger",
    description="Chaque table publiée, en CSV et en Parquet, avec son nombre de lignes et son empreinte.",
    page="donnees.html",
    tables=("*",),
    build=build,
    order=80,
    menu="Données",
    is_long=True,
)
