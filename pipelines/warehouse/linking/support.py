"""Whether a name of unknown kind is another spelling of a legal person's, before it may be published as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.warehouse.linking.likeness import Weighed
from pipelines.warehouse.linking.model import probability
from pipelines.warehouse.linking.spellings import Names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.model import NameModel

Parts = tuple[str, str]
"""A row of `names.parts`."""


def are_supported(unknown: Sequence[Parts], legal: Sequence[Parts], model: NameModel) -> NDArray[np.bool_]:
    """Which names of unknown kind are like a legal person's, by the probability from which names are linked."""
    names = Names((*unknown, *legal))
    weighed = Weighed(names, np.ones(len(names.full), dtype=np.int64))
    left, right = np.divmod(np.arange(len(unknown) * len(legal)), len(legal))
    odds = model.likeness.decide(weighed.compare(left, right + len(unknown)))
    found: NDArray[np.bool_] = probability(odds).reshape(len(unknown), len(legal)).max(axis=1) >= model.automatic
    return found
