"""Whether a name of unknown kind is another spelling of a legal person's, before it may be published as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.warehouse.linking.likeness import Weighed
from pipelines.warehouse.linking.model import probability
from pipelines.warehouse.linking.names import read_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.warehouse.linking.model import NameModel


def unsupported(unknown: Sequence[str], legal: Sequence[str], model: NameModel) -> list[str]:
    """Those of `unknown` that are like none of `legal`, by the probability from which names are linked."""
    weighed = Weighed([read_name(text) for text in (*unknown, *legal)])
    left, right = np.divmod(np.arange(len(unknown) * len(legal)), len(legal))
    odds = model.likeness.decide(weighed.compare(left, right + len(unknown)))
    best = probability(odds).reshape(len(unknown), len(legal)).max(axis=1)
    return [text for text, likeliest in zip(unknown, best, strict=True) if likeliest < model.automatic]
