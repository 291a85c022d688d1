"""Names: how they are read, and how well they link, on truth that nobody here made. Figures are printed (`pytest -s`).

The shipped model is trained on Paris; Montpellier is its test. `make linking` prints the opposite too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.warehouse.linking.decide import link
from pipelines.warehouse.linking.model import load_model
from pipelines.warehouse.linking.names import read_name
from tests.linking_truth import MONTPELLIER, PARIS, Node, frame, linked, truth

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def words(text: str) -> dict[str, str]:
    return read_name(text).words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Association des Amis du Lez", "ASSO. AMIS DU LEZ"),
        ("A.S.C. Pignan", "ASC PIGNAN"),
        ("A S C Pignan", "Asc Pignan"),
        ("Épicerie Saint-Roch", "EPICERIE ST ROCH"),
        ("Cie du Lez", "Compagnie du Lez"),
        ("Ligue du Lez Projet Éduquer pour prévenir", "LIGUE DU LEZ"),
        ("Le Lez vivant", "NE PLUS UTILISER --- LE LEZ VIVANT --- ASSOCIATION DISSOUTE LE 02/06/2015"),
        ("Université Paul-Valéry III", "UNIVERSITE PAUL VALERY 3"),
    ],
)
def test_two_ways_to_write_one_name(one: str, other: str) -> None:
    assert read_name(one).full == read_name(other).full


def test_words_say_what_they_are() -> None:
    assert words("Judo Club d'Alésia (JCA)") == {
        "judo": "generic",
        "club": "generic",
        "alesia": "own",
        "jca": "acronym",
    }
    assert words("Radio Clapas Montpellier 34") == {
        "radio": "own", "clapa": "own", "montpellier": "place", "34": "number"
    }  # fmt: skip
    assert read_name("Les Restos du Cœur").network == read_name("RESTOS DU COEUR DE L'AUDE").network != None  # noqa: E711
    assert read_name("Association").words == {"association": "generic"}


@settings(deadline=None)  # the first name read loads the lists of words
@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    name = read_name(text)
    assert all(name.words)
    assert read_name(text) == name


# what is hidden, whether half of the right list is removed (and how it is drawn), precision and recall to reach
BOUNDS = [
    (MONTPELLIER, None, 0.98, 0.90),
    (PARIS, None, 0.995, 0.96),
    (PARIS, 0, 0.98, 0.95),
    (PARIS, 1, 0.98, 0.95),
]


@pytest.mark.parametrize(("city", "removed", "precision", "recall"), BOUNDS)
def test_names_alone_link_real_organisations(
    real_files: Path,
    city: tuple[tuple[str, ...], tuple[str, ...], str],
    removed: int | None,
    precision: float,
    recall: float,
) -> None:
    measure = truth(real_files, city, removed)
    found = linked(measure, load_model())
    reached = measure.measure(found)
    half = "" if removed is None else f", half of the right list removed (draw {removed})"
    print(
        f"\n{city[0][0]}{half}: {measure.shared} organisations in both, {len(found)} linked,"
        f" precision {reached[0]:.4f} (>= {precision}), recall {reached[1]:.4f} (>= {recall})"
    )
    assert reached[0] >= precision
    assert reached[1] >= recall


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # scikit-learn's own
def test_the_opposite_training_holds_too(real_files: Path) -> None:
    """Trained on Montpellier, its threshold chosen there (0.8), tried on Paris, which it has never seen."""
    pytest.importorskip("sklearn")
    from tests.train_linking import train

    measures = [truth(real_files, MONTPELLIER, removed) for removed in (None, 0)]
    model = replace(train(measures, load_model()), automatic=0.8)
    for removed, precision, recall in ((None, 0.995, 0.96), (0, 0.98, 0.95), (1, 0.98, 0.95)):
        measure = truth(real_files, PARIS, removed)
        reached = measure.measure(linked(measure, model))
        print(f"\ntrained on Montpellier, Paris, draw {removed}: {reached[0]:.4f} / {reached[1]:.4f}")
        assert reached[0] >= precision
        assert reached[1] >= recall


def test_the_order_of_nodes_does_not_matter(real_files: Path) -> None:
    measure = truth(real_files, MONTPELLIER, 0)
    nodes = measure.nodes

    def told(ordered: tuple[Node, ...]) -> set[tuple[frozenset[str], str | None]]:
        verdicts = link(frame(ordered), load_model())
        return {(frozenset((ordered[v.left].key, ordered[v.right].key)), v.reason) for v in verdicts}

    assert told(nodes) == told(nodes[::-1])


def node(key: str, name: str, *, commune: str | None = None, funder: str = "ville", **numbers: str) -> Node:
    places: Mapping[str, frozenset[str]] = (
        {} if commune is None else {"communes": frozenset([commune]), "departements": frozenset([commune[:2]])}
    )
    return Node(key, (name,), numbers, funders=frozenset([funder]), **places)


BACKGROUND = [node(f"b{i}", f"Les {a} de {b}", siren=str(i)) for i, (a, b) in enumerate(
    (a, b) for a in ("Rameurs", "Conteurs", "Jardins", "Voisins", "Ateliers", "Passeurs", "Chemins", "Cordées")
    for b in ("Pignan", "Lattes", "Olargues", "Ganges", "Lunel", "Mauguio", "Agde", "Sérignan")
)]  # fmt: skip


def reason(left: Node, right: Node) -> str | None:
    """Why the two are not linked, null when they are; `nothing` when nobody is even asked."""
    nodes = [*BACKGROUND, left, right]
    verdicts = [v for v in link(frame(nodes), load_model()) if {v.left, v.right} == {len(nodes) - 2, len(nodes) - 1}]
    return verdicts[0].reason if verdicts else "nothing"


def test_networks_are_tied_by_the_commune_alone() -> None:
    name, upper = "Secours populaire français", "SECOURS POPULAIRE FRANCAIS"
    assert reason(node("a", name, commune="34172"), node("b", upper, commune="34172", funder="caf")) is None
    assert reason(node("a", name, commune="34172"), node("b", upper, commune="34032", funder="caf")) == "nothing"
    assert reason(node("a", name, commune="34172"), node("b", upper, commune="11069", funder="caf")) == "nothing"
    assert reason(node("a", name, commune="34172"), node("b", upper, funder="caf")) == "network"
    assert reason(node("a", name), node("b", upper, funder="caf")) == "network"


def test_another_name_is_tied_by_a_place_or_a_funder() -> None:
    name, upper = "Association Zinzolin Farfadet", "ZINZOLIN FARFADET"
    assert reason(node("a", name), node("b", upper)) is None
    assert reason(node("a", name, commune="34172"), node("b", upper, commune="34172", funder="caf")) is None
    assert reason(node("a", name, commune="34172"), node("b", upper, commune="34032", funder="caf")) == "place"
    assert reason(node("a", name, commune="34172"), node("b", upper, commune="11069")) == "place"
    assert reason(node("a", name), node("b", upper, funder="caf")) == "place"


def test_two_numbers_of_one_list_are_never_linked() -> None:
    assert reason(node("a", "Zinzolin Farfadet", siren="1"), node("b", "Zinzolin Farfadet", siren="2")) == "nothing"
    assert reason(node("a", "Zinzolin Farfadet", ville="1"), node("b", "Zinzolin Farfadet", ville="2")) == "nothing"
    assert reason(node("a", "Zinzolin Farfadet", ville="1"), node("b", "Zinzolin Farfadet", siren="2")) is None


def test_two_candidates_as_good_are_never_chosen_between() -> None:
    nodes = [
        *BACKGROUND,
        *(node(f"s{i}", "Zinzolin Farfadet", siren=f"s{i}") for i in (1, 2)),
        node("n", "ZINZOLIN FARFADET"),
    ]
    last = len(nodes) - 1
    assert {v.reason for v in link(frame(nodes), load_model()) if v.right == last} <= {"rival", "likely"}
