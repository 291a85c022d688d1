"""Who is who: a funder's level, and whether an applicant is a legal or a natural person."""

from __future__ import annotations

import re

import polars as pl

from pipelines.ingest.fold import by_value, fold_words, folded_words
from schemas.distinct import Distinct

# First match wins. Words are folded (`fold_words`).
_LEVEL_WORDS = (
    ("caf", r"\bcaf\b|allocations familiales"),
    ("msa", r"\bmsa\b|mutualite sociale agricole"),
    ("ccas", r"\bcc?ias\b|\bccas\b|action sociale de"),
    ("europe", r"\beurope|\bfse\b|\bfeder\b|union europeenne|\bleader\b"),
    ("epci", r"metropole|communaute (de communes|d agglomeration|urbaine)|agglomeration|intercommunal|eurometropole"),
    ("departement", r"departement|\bcd ?\d{2,3}\b|metropole de lyon"),
    ("region", r"conseil regional|^region\b|collectivite de corse"),
    (
        "state",
        (
            r"^etat\b|ministere|prefecture|\bdreets\b|\bddets(pp)?\b|\bdraaf\b|\bdrajes\b|\bsdjes\b|\bdrjscs\b|"
            r"\bddcs(pp)?\b|\bsgar\b|services? du premier ministre|\bdireccte\b|\bdihal\b|\bdilcrah\b"
        ),
    ),
    ("commune", r"^ville\b|^commune\b|^mairie\b|ville de|commune de"),
    ("private", r"fondation"),
)
_SIREN_LEVELS = {
    "21": "commune",
    "22": "departement",
    "23": "region",
    "24": "epci",
    "11": "state",
    "12": "state",
    "13": "state",
    "17": "state",
}

_LEGAL_WORDS = (
    r"\b(association|assoc|asso|ass|amicale|union|federation|fed|comite|club|cercle|centre|foyer|ligue|mission|maison|"
    r"theatre|compagnie|cie|ensemble|orchestre|choeur|chorale|festival|musee|ecole|college|lycee|ogec|universite|"
    r"societe|ste|sarl|sas|sasu|scic|scop|scop|sci|eurl|earl|gaec|entreprise|cooperative|groupement|gie|geiq|"
    r"syndicat|fondation|fonds|institut|academie|ccas|cias|commune|mairie|ville|departement|region|communaute|"
    r"metropole|etablissement|ehpad|hopital|chu|residence|restos?|secours|croix|banque|epicerie|collectif|reseau|"
    r"mouvement|amis|parents|eleves|anciens|sportive?s?|sport|football|rugby|judo|basket|handball|tennis|gymnastique|"
    r"athletic|athletique|racing|olympique|entente|etoile|jeunesse|office|observatoire|atelier|studio|galerie|editions|"
    r"productions?|regie|bibliotheque|mediatheque|ludotheque|creche|halte|accueil|espace|chambre|conseil|agence|"
    r"service|solidarites?|caisse|mutuelle|paroisse|oeuvres?|patronage|mjc|afev|adil|udaf|cidff|planning|emmaus|"
    r"international|internationale|national|nationale)\b"
)
_NATURAL = r"^(mr|mme|mlle|monsieur|madame|mademoiselle|m (et|ou) mme)\b"
_INITIAL = r"^m [a-z]{3,} [a-z]{3,}$"  # « M. Jean Dupont », not « M.A.I.S. »


def funder_level(names: pl.Series, sirens: pl.Series) -> pl.Series:
    """The level of each funder: by the words of its name, else by the first digits of its SIREN; null when unknown.

    Public bodies' SIRENs begin with 21 (communes), 22 (départements), 23 (régions), 24 (EPCI), 11 to 17 (State).
    """
    words = by_value(names, _level_of_name)
    if not words.null_count():
        return words
    digits = sirens.str.slice(0, 2).replace_strict(
        list(_SIREN_LEVELS), list(_SIREN_LEVELS.values()), default=None, return_dtype=pl.String
    )
    return pl.select(pl.coalesce(words, digits)).to_series()


def _level_of_name(name: str) -> str | None:
    folded = fold_words(name)
    return next((level for level, pattern in _LEVEL_WORDS if re.search(pattern, folded)), None)


def applicant_kind(
    lines: pl.DataFrame,
    *,
    personal: pl.Series,
    unnamed: pl.Series,
    stated: pl.Series | None = None,
    declared: str | None,
    constant: str | None,
) -> pl.DataFrame:
    """Two columns, `applicant_kind` and `applicant_kind_basis`, for `lines`.

    A title (`Mme …`) decides: a sole trader has a SIREN too; so does a column that says a natural person (`stated`).
    Then an identifier, then what that column says of a legal one, then `declared` (funder.toml), then `constant`
    (format), then a word that only organisations bear. `personal` marks the lines where a social-security number
    stood, `unnamed` those whose applicant the file only calls a private person.
    """
    names = Distinct.of(lines["applicant_name"])
    name = names.over(_kinds_of_names(names.cells))
    identified = pl.any_horizontal(
        pl.col(column).is_not_null() for column in ("applicant_siren", "applicant_siret", "applicant_rna")
    )
    framed = lines.select(
        identified.alias("identified"),
        name.alias("name"),
        personal.fill_null(False).alias("personal"),
        unnamed.fill_null(False).alias("unnamed"),
        (pl.lit(None, dtype=pl.String) if stated is None else stated).alias("stated"),
    )
    kind = (
        pl.when(pl.col("personal") | pl.col("unnamed"))
        .then(pl.lit("natural"))
        .when((pl.col("stated") == "natural") | (pl.col("name") == "natural"))
        .then(pl.lit("natural"))
        .when(pl.col("identified") | (pl.col("stated") == "legal"))
        .then(pl.lit("legal"))
        .when(pl.lit(declared is not None))
        .then(pl.lit(declared))
        .when(pl.lit(constant is not None))
        .then(pl.lit(constant))
        .when(pl.col("name") == "legal")
        .then(pl.lit("legal"))
        .otherwise(pl.lit("unknown"))
    )
    basis = (
        pl.when("personal")
        .then(pl.lit("identifier"))
        .when("unnamed")
        .then(pl.lit("format"))
        .when(pl.col("stated") == "natural")
        .then(pl.lit("column"))
        .when(pl.col("name") == "natural")
        .then(pl.lit("name"))
        .when("identified")
        .then(pl.lit("identifier"))
        .when(pl.col("stated") == "legal")
        .then(pl.lit("column"))
        .when(pl.lit(declared is not None))
        .then(pl.lit("funder_file"))
        .when(pl.lit(constant is not None))
        .then(pl.lit("format"))
        .when(pl.col("name") == "legal")
        .then(pl.lit("name"))
    )
    return framed.select(applicant_kind=kind, applicant_kind_basis=basis)


def names_organisations(title: str) -> bool:
    """Whether a title bears a word that only organisations bear (« Club sportif »)."""
    return bool(re.search(_LEGAL_WORDS, fold_words(title)))


def _kinds_of_names(names: pl.Series) -> pl.Series:
    """`legal`, `natural` or null for each name."""
    cells = pl.DataFrame({"name": names, "folded": folded_words(names)}, schema_overrides={"name": pl.String})
    folded = pl.col("folded")
    is_initial = folded.str.contains(_INITIAL) & pl.col("name").str.contains(".", literal=True)
    return cells.select(
        pl.when(folded.str.contains(_LEGAL_WORDS))
        .then(pl.lit("legal"))
        .when(folded.str.contains(_NATURAL) | is_initial)
        .then(pl.lit("natural"))
    ).to_series()
