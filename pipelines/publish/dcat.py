"""DCAT descriptions in JSON-LD for the heads of data pages, so that catalogues find the files without being told.

The vocabulary is the W3C's DCAT with Dublin Core terms. Addresses start at the site's own when `publication.toml`
states it; otherwise they are relative, and stand where the page does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.publish import formats
from pipelines.publish.script_json import script_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.publish.database import Publication
    from pipelines.publish.licensing import Terms
    from pipelines.publish.open_data import DataFile, Dataset

_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_SHA256 = {"@id": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"}
_LANGUAGE = {"@id": "http://publications.europa.eu/resource/authority/language/FRA"}
_MEDIA_TYPES = "http://www.iana.org/assignments/media-types/"


class Catalogue:
    """Describes datasets for a page at some depth of the site (`root`: the way up, as in the templates)."""

    def __init__(self, publication: Publication, *, root: str) -> None:
        self._publication = publication
        site = (publication.site_url or "").rstrip("/")
        self._base = f"{site}/" if site else root

    def dataset(self, datasets: Sequence[Dataset], page: str) -> str:
        """One table, its files under every licence, as a `dcat:Dataset`."""
        first = datasets[0]
        return script_json({
            "@context": _CONTEXT,
            **self._head(page, "dcat:Dataset", first.table, first.comment),
            "dct:license": [_licence(terms) for each in datasets for terms in each.part.terms],
            "dcat:keyword": ["subvention", first.table],
            "dct:source": sorted({
                str(row["source_url"])
                for each in datasets
                for row in each.sources
                if not formats.is_missing(row["source_url"])
            }),
            "dcat:distribution": [
                self._distribution(file, each.part.terms) for each in datasets for file in each.files
            ],
        })  # fmt: skip

    def catalogue(self, pages: Sequence[tuple[str, str]], page: str, title: str, description: str) -> str:
        """All tables as a `dcat:Catalog` that leads to the page of each. `pages`: the page and the name of a table."""
        return script_json({
            "@context": _CONTEXT,
            **self._head(page, "dcat:Catalog", title, description),
            "dcat:dataset": [
                {"@id": f"{self._base}{path}", "@type": "dcat:Dataset", "dct:title": name} for path, name in pages
            ],
        })  # fmt: skip

    def _head(self, page: str, kind: str, title: str, description: str) -> dict[str, Any]:
        day = {"@value": f"{self._publication.as_of:%Y-%m-%d}", "@type": "xsd:date"}
        return {
            "@id": f"{self._base}{page}",
            "@type": kind,
            "dct:identifier": title,
            "dct:title": title,
            "dct:description": description,
            "dct:language": _LANGUAGE,
            "dct:modified": day,
            "dct:publisher": {"@type": "foaf:Organization", "foaf:name": self._publication.publisher_name},
            "dcat:landingPage": {"@id": f"{self._base}{page}"},
        }

    def _distribution(self, file: DataFile, terms: Sequence[Terms]) -> dict[str, Any]:
        return {
            "@type": "dcat:Distribution",
            "dct:title": file.kind.title,
            "dcat:downloadURL": {"@id": f"{self._base}{file.path}"},
            "dcat:accessURL": {"@id": f"{self._base}{file.path}"},
            "dcat:mediaType": {"@id": f"{_MEDIA_TYPES}{file.kind.media_type}"},
            "dcat:byteSize": {"@value": str(file.size), "@type": "xsd:nonNegativeInteger"},
            "dct:license": [_licence(each) for each in terms],
            "spdx:checksum": {
                "@type": "spdx:Checksum", "spdx:algorithm": _SHA256,
                "spdx:checksumValue": {"@value": file.sha256, "@type": "xsd:hexBinary"},
            },
        }  # fmt: skip


def _licence(terms: Terms) -> dict[str, str]:
    return {"@id": terms.url} if terms.url else {"@type": "dct:LicenseDocument", "dct:title": terms.title}
