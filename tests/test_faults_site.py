"""The site at every instant of its publication, on a full disk too: no link is broken, no page is half a page."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pipelines.publish.site import publish
from tests.publish_database import build
from tests.reader import Reader


def content_of(site: Path) -> dict[Path, bytes]:
    """What readers may ask for: manifests are for the next publication."""
    return {path: path.read_bytes() for path in site.rglob("*") if path.is_file() and path.parent.name != "manifest"}


@pytest.mark.slow
def test_readers_never_see_half_a_publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.publish.site._WORTH_IT", 1 << 60)  # in this process, which is watched
    former, new = (build(tmp_path / f"{size}.duckdb", size=size) for size in (12, 16))
    site, reader, moves = tmp_path / "reports", Reader(tmp_path), 0
    write, replace = Path.write_bytes, Path.replace
    room = 10**9

    def bounded(path: Path, content: bytes) -> int:
        nonlocal room
        if len(content) > room:
            write(path, content[:room])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        room -= len(content)
        return write(path, content)

    def watched(path: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        moved = replace(path, target)
        if moves % 100 == 0 or target.name == "index.html":
            reader.walk()
        return moved

    monkeypatch.setattr(Path, "write_bytes", bounded)
    monkeypatch.setattr(Path, "replace", watched)
    publish(former, site)
    before = content_of(site)
    for left in (100, 400_000):
        room = left
        with pytest.raises(OSError, match="No space left"):
            publish(new, site)
        assert content_of(site) == before
    room = 10**9
    publish(new, site)
    reader.walk()
    assert content_of(site).keys() - before.keys()
    assert moves > 500
    assert reader.seen.pages > 200
    assert reader.seen.wrong == []
    assert not list(site.rglob("*.tmp"))
