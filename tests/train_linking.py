"""`make linking`: train the name model on one city, try it on the other, print every figure, write the shipped one.

Needs the real files. The shipped model is trained on Paris alone (all of the second list, and half of it removed, so
that it meets organisations without a partner); Montpellier is never seen by it. The opposite is trained too, for its
figures.
Deterministic: same files, same model.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.warehouse.linking.likeness import FEATURES
from pipelines.warehouse.linking.model import GAPS, PATH, Logistic, NameModel, load_model
from pipelines.warehouse.linking.pairs import Compared, Named, compared
from pipelines.warehouse.linking.spellings import Spellings
from tests.conftest import REAL_FILES
from tests.linking_truth import MONTPELLIER, PARIS, Truth, frame, linked, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CITIES = {"Paris": PARIS, "Montpellier": MONTPELLIER}
SEED = 0
ROUNDS = 4  # the best spellings are chosen again by each round's model
THRESHOLDS = (0.65, 0.75, 0.85)


def fit(values: NDArray[np.float64], truths: NDArray[np.bool_], weights: NDArray[np.float64]) -> LogisticRegression:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=5000))
    return pipeline.fit(values, truths, logisticregression__sample_weight=weights)


def logistic(features: tuple[str, ...], pipeline: LogisticRegression) -> Logistic:
    """The pipeline's scaling folded into its coefficients."""
    scaler, regression = pipeline[0], pipeline[-1]
    weights = regression.coef_[0] / scaler.scale_
    return Logistic(features, np.round(weights, 6), round(float(regression.intercept_[0] - weights @ scaler.mean_), 6))


def train(measures: list[Truth], limits: NameModel) -> NameModel:
    """A model from the pairs of `measures`, each measure with the same weight; the limits are kept as they are."""
    likeness = Logistic(FEATURES, np.array([float(name in ("least_cover", "ratio")) for name in FEATURES]), 0.0)
    nodes = [frame(measure.nodes) for measure in measures]
    named = [Named(Spellings(each["names"])) for each in nodes]

    def stacked(of: Callable[[Compared], NDArray[np.float64]]) -> LogisticRegression:
        found = [compared(each, names, likeness) for each, names in zip(nodes, named, strict=True)]
        truths = [
            np.array([measure.hidden[i] == measure.hidden[j] for i, j in one.pairs])
            for measure, one in zip(measures, found, strict=True)
        ]
        weights = np.concatenate([np.full(len(one), 1 / len(one)) for one in truths])
        return fit(np.vstack([of(one) for one in found]), np.concatenate(truths), weights / weights.mean())

    for _ in range(ROUNDS):
        likeness = logistic(FEATURES, stacked(Compared.values))

    def led(one: Compared) -> NDArray[np.float64]:
        values = one.values()
        return np.hstack([values, one.gaps(likeness.decide(values), np.arange(len(values)))])

    link = logistic((*FEATURES, *GAPS), stacked(led))
    return NameModel(likeness, link, limits.automatic, limits.review, limits.margin)


def tell(name: str, model: NameModel) -> None:
    for city, files in CITIES.items():
        for removed in (None, SEED):
            measure = truth(REAL_FILES, files, removed)
            told = []
            for threshold in THRESHOLDS:
                precision, recall = measure.measure(linked(measure, replace(model, automatic=threshold)))
                told.append(f"{threshold} : {precision:.3f} / {recall:.3f}")
            print(f"{name}, {city}{'' if removed is None else ', half removed':<14} {' · '.join(told)}", flush=True)


def written(model: NameModel) -> str:
    def table(name: str, one: Logistic) -> str:
        weights = "\n".join(f"{f} = {float(w)!r}" for f, w in zip(one.features, one.weights, strict=True))
        return f"\n[{name}]\nintercept = {one.intercept!r}\n{weights}\n"

    return (
        "# Written by `make linking` (tests/train_linking.py). The features: pipelines/warehouse/linking/likeness.py.\n"
        "# Trained on Paris (2013 against 2013-2019, SIRENs hidden, whole and half removed); Montpellier never seen.\n"
        "\n[thresholds]\n"
        f"automatic = {model.automatic!r} # linked without asking from this probability on\n"
        f"review = {model.review!r} # shown to an analyst from this one on\n"
        f"margin = {model.margin!r} # and only when ahead of every rival by this much\n"
        f"{table('likeness', model.likeness)}{table('link', model.link)}"
    )


def main() -> None:
    nothing = Logistic(FEATURES, np.zeros(len(FEATURES)), 0.0)
    limits = load_model() if PATH.is_file() else NameModel(nothing, nothing, 0.75, 0.2, 0.01)
    for city in ("Montpellier", "Paris"):
        model = train([truth(REAL_FILES, CITIES[city], removed) for removed in (None, SEED)], limits)
        tell(f"trained on {city}", model)
    if "--write" in sys.argv:
        PATH.write_text(written(model), encoding="utf-8")
        print(f"written: {PATH.name}")


if __name__ == "__main__":
    main()
