"""Whether a name of unknown kind is another spelling of a legal person's, before it may be published as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.warehouse.linking.likeness import compare, weigh
from pipelines.warehouse.linking.model import probability
from pipelines.warehouse.linking.names import read_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.warehouse.linking.model import NameModel


def unsupported(unknown: Sequence[str], legal: Sequence[str], model: NameModel) -> list[str]:
    """Those of `unknown` that are like none of `legal`, by the probability from which names are linked."""
    weighed = weigh(map(read_name, (*unknown, *legal)))
    mine, theirs = weighed[: len(unknown)], weighed[len(unknown) :]
    found = []
    for text, name in zip(unknown, mine, strict=True):
        values = np.array([compare(name, other) for other in theirs])
        if probability(model.likeness.decide(values)).max() < model.automatic:
            found.append(text)
    return found
