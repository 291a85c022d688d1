"""Where the steps of `lire_en_lots` run: in this process, or where the file that QFQ_EXECUTOR names says.

A file is YAML: `executor`, the import path of a Dagster executor, and `execution.config`, its configuration; it is the
form that `dagster-celery worker start -y` reads too. Whatever is here, nothing else of the project changes.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import dagster as dg

VARIABLE = "QFQ_EXECUTOR"
_LOSE_WORK = {"dagster_dask": "il n'exécute que la première étape d'un travail en lots et le dit réussi"}
"""Measured: ENGINE.md §9."""


class ExecutorError(ValueError):
    """A file of `QFQ_EXECUTOR` that cannot be used; the message is French."""


def is_spread() -> bool:
    """Whether shards are read elsewhere than in the process of the run."""
    return bool(os.environ.get(VARIABLE))


def executor() -> dg.ExecutorDefinition:
    """The executor of `lire_en_lots`. Raises `ExecutorError` when its file or its library is missing or unusable."""
    if not is_spread():
        return dg.in_process_executor
    path = Path(os.environ[VARIABLE])
    if not path.is_file():
        raise ExecutorError(f"{VARIABLE} désigne « {path} », qui n'est pas un fichier.")
    told = dg.config_from_files([str(path)])
    module, _, name = str(told.get("executor", "")).rpartition(".")
    if module in _LOSE_WORK:
        raise ExecutorError(f"{path.name} : {module} est refusé, car {_LOSE_WORK[module]}.")
    try:
        found = getattr(importlib.import_module(module), name, None) if module else None
    except ModuleNotFoundError as error:
        raise ExecutorError(
            f"{path.name} : la bibliothèque « {error.name} » n'est pas installée ; pour Celery, installez l'option "
            "« celery » du projet."
        ) from error
    if not isinstance(found, dg.ExecutorDefinition):
        raise ExecutorError(
            f"{path.name} : « executor » est le chemin d'un exécuteur de Dagster, comme dagster_celery.celery_executor."
        )
    return found.configured(told.get("execution", {}).get("config", {}), name=found.name)
