"""The command line, `qfq`: the same flow as Dagster's, for a terminal.

Heavy libraries are imported inside the commands, so that `qfq --help` answers at once.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(
    name="qfq",
    help="Qui finance quoi : des tableurs de subventions aux pages publiques.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Raw = Annotated[Path, typer.Option("--raw", envvar="QFQ_RAW", help="Dossier des dépôts.")]
Warehouse = Annotated[Path, typer.Option("--warehouse", envvar="QFQ_WAREHOUSE", help="Dossier de l'entrepôt.")]
Reports = Annotated[Path, typer.Option("--reports", envvar="QFQ_REPORTS", help="Dossier des pages.")]
AsOf = Annotated[
    Optional[datetime],  # noqa: UP045 - Typer reads the annotation at run time
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Date de référence (aujourd'hui par défaut)."),
]


@app.command()
def run(
    raw: Raw = Path("raw"),
    warehouse: Warehouse = Path("warehouse"),
    reports: Reports = Path("reports"),
    as_of: AsOf = None,
) -> None:
    """Tout faire : lire les dépôts, contrôler, consolider, publier.

    Code de sortie : 0 si les pages sont publiées, 1 si un contrôle bloquant a échoué.
    """
    from pipelines.defs.terminal import run_main_job

    day = as_of.date() if as_of else date.today()
    raise typer.Exit(run_main_job(raw=raw, warehouse=warehouse, reports=reports, as_of=day))


@app.command()
def fetch(
    publishers: Annotated[
        Optional[list[str]],  # noqa: UP045 - Typer reads the annotation at run time
        typer.Argument(help="Producteurs (dossiers) ; tous par défaut."),
    ] = None,
    feeds: Annotated[
        Optional[Path],  # noqa: UP045 - Typer reads the annotation at run time
        typer.Option("--feeds", envvar="QFQ_FEEDS", help="Fichier des sources (schemas/feeds.toml par défaut)."),
    ] = None,
    raw: Raw = Path("raw"),
    warehouse: Warehouse = Path("warehouse"),
    reports: Reports = Path("reports"),
) -> None:
    """Recevoir dans raw/ les données ouvertes que déclare schemas/feeds.toml ; `qfq run` les lit ensuite.

    Code de sortie : 0 si tout est à jour, 1 si une source n'a pas pu être reçue ; les autres le sont.
    """
    from pipelines.defs.terminal import run_feeds

    folders = {"raw": raw, "warehouse": warehouse, "reports": reports}
    raise typer.Exit(run_feeds(publishers or [], feeds=feeds, **folders))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Fichier à contrôler.")],
    funder: Annotated[str | None, typer.Option("--funder", help="Nom du financeur.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Répondre en JSON.")] = False,
    raw: Raw = Path("raw"),
) -> None:
    """Lire et contrôler un fichier, sans rien charger.

    Code de sortie : 0 accepté, 1 refusé ou en attente, 2 arguments inutilisables.
    """
    from pipelines.ingest.single import check_path

    if not file.is_file():
        typer.echo(f"« {file} » n'est pas un fichier.", err=True)
        raise typer.Exit(2)
    try:
        report = check_path(file, raw=raw, funder=funder)
    except OSError as error:
        typer.echo(f"« {file} » ne peut pas être lu : {error.strerror}.", err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(report.to_json())
    else:
        from pipelines.terminal import show_report

        show_report(report)
    raise typer.Exit(0 if report.status == "accepted" else 1)


@app.command()
def template(
    out: Annotated[Path, typer.Option("--out", help="Classeur à écrire (.xlsx).")] = Path(
        "modele-qui-finance-quoi.xlsx"
    ),
) -> None:
    """Écrire le classeur vierge à remplir, avec ses listes, son mode d'emploi et des exemples.

    Un classeur déjà là n'est jamais écrasé : il est peut-être rempli. Code de sortie : 2 si rien n'a pu être écrit.
    """
    from pipelines.ingest.template import template_bytes

    content = template_bytes()
    if out.is_file() and out.read_bytes() not in (b"", content):
        typer.echo(f"« {out} » existe déjà : déplacez-le, ou donnez un autre nom avec --out.", err=True)
        raise typer.Exit(2)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        typer.echo(f"« {out} » ne peut pas être écrit : {error.strerror}.", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"Modèle écrit : {out}")


@app.command()
def release(
    deposit: Annotated[str, typer.Argument(help="Identifiant du dépôt, ou début de son sha256.")],
    warehouse: Warehouse = Path("warehouse"),
) -> None:
    """Laisser passer un dépôt en attente ; il sera compté au prochain `qfq run`."""
    from pipelines.ingest.release import NotWaitingError
    from pipelines.ingest.release import release as let_through

    try:
        [released] = let_through([deposit], warehouse=warehouse, how="qfq release")
    except NotWaitingError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"« {released.path} » sera pris en compte au prochain passage.")


@app.command()
def plan(raw: Raw = Path("raw"), warehouse: Warehouse = Path("warehouse")) -> None:
    """Dire ce que le prochain passage lira ou relira, et combien de temps, sans rien lire ni changer.

    Code de sortie : 0, ou 2 si le dossier des dépôts n'est pas là.
    """
    from pipelines.ingest.deposit import InboxError
    from pipelines.ingest.restaging import cost, told_plainly

    try:
        typer.echo(f"Au prochain passage : {told_plainly(cost(raw, warehouse))}")
    except InboxError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


@app.command()
def review(
    warehouse: Warehouse = Path("warehouse"),
    most: Annotated[int, typer.Option("--most", min=1, help="Nombre de lignes à montrer.")] = 20,
) -> None:
    """Lister ce qui attend une décision, les montants les plus élevés d'abord, avec où et quoi répondre.

    La liste entière est dans warehouse/analystes/a-decider.html. Code de sortie : 2 s'il n'y a pas encore de base.
    """
    from pipelines.review import show
    from pipelines.warehouse.analysts import NoDatabaseError, pending

    try:
        items = pending(warehouse / "funding.duckdb")
    except NoDatabaseError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    show(items, most=most)


@app.command()
def doctor(
    raw: Raw = Path("raw"), warehouse: Warehouse = Path("warehouse"), reports: Reports = Path("reports")
) -> None:
    """Examiner un projet sans rien changer : registre, copies privées, lectures, bases, pages.

    Code de sortie : 0 si rien n'est abîmé, 1 sinon ; le tableau dit ce que `qfq run` refait et ce qui est à réparer.
    """
    from pipelines.doctor import examine, show

    findings = examine(raw=raw, warehouse=warehouse, reports=reports)
    show(findings)
    raise typer.Exit(1 if findings else 0)


@app.command()
def dev(
    raw: Raw = Path("raw"),
    warehouse: Warehouse = Path("warehouse"),
    reports: Reports = Path("reports"),
    port: Annotated[int, typer.Option("--port", help="Port de l'interface.")] = 3000,
) -> None:
    """Ouvrir l'interface Dagster, tout chargé."""
    from pipelines.defs.home import serve_dagster

    raise typer.Exit(serve_dagster(raw=raw, warehouse=warehouse, reports=reports, port=port))


@app.command()
def serve(
    reports: Reports = Path("reports"),
    port: Annotated[int, typer.Option("--port", help="Port du serveur.")] = 8000,
) -> None:
    """Servir les pages publiées sur cette machine."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from pipelines.publish.policy import PAGE

    if not (reports / "index.html").is_file():
        typer.echo(f"Il n'y a pas encore de pages dans « {reports} » : lancez d'abord `qfq run`.", err=True)
        raise typer.Exit(2)

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", f"{PAGE}; frame-ancestors 'none'")
            self.send_header("X-Content-Type-Options", "nosniff")
            super().end_headers()

    handler = partial(Handler, directory=str(reports))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        typer.echo(f"Pages sur http://127.0.0.1:{port}/ (Ctrl+C pour arrêter).")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.exit(0)
