"""An image in a directory of the OCI layout: its configuration, its layers, and the tree that they make together.

Formats: https://github.com/opencontainers/image-spec, image-layout.md and layer.md (whiteouts).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

_WHITEOUT = ".wh."


@dataclass(frozen=True, slots=True)
class Entry:
    """What a layer says of one path; ``start`` is the first 16 bytes of a file."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    mtime: int
    target: str
    digest: str
    start: bytes

    @property
    def is_file(self) -> bool:
        return self.kind == tarfile.REGTYPE


@dataclass(frozen=True, slots=True)
class Image:
    """The digest of the manifest, the configuration, and each layer as path -> entry; the base's layers come first."""

    digest: str
    config: dict[str, Any]
    layers: tuple[dict[str, Entry], ...]

    def tree(self) -> dict[str, Entry]:
        """The paths that a container sees."""
        tree: dict[str, Entry] = {}
        for layer in self.layers:
            for gone in map(_hidden, layer):
                if gone is not None:
                    tree = {path: entry for path, entry in tree.items() if not _lies_in(path, gone)}
            tree |= {path: entry for path, entry in layer.items() if _hidden(path) is None}
        return tree


def read_image(layout: Path) -> Image:
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    manifest = json.loads(_blob(layout, digest).read_text())
    config = json.loads(_blob(layout, manifest["config"]["digest"]).read_text())
    layers = (dict(_entries(_blob(layout, layer["digest"]))) for layer in manifest["layers"])
    return Image(digest, config, tuple(layers))


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / Path(*digest.split(":"))


def _entries(layer: Path) -> Iterator[tuple[str, Entry]]:
    with tarfile.open(layer) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            content = file.read() if file else b""
            digest = hashlib.sha256(content).hexdigest()
            owner = (member.uid, member.gid)
            path = "/" + member.name.removeprefix("./").strip("/")
            kind, mtime = member.type, int(member.mtime)
            yield path, Entry(kind, member.mode, owner, mtime, member.linkname, digest, content[:16])


def _hidden(path: str) -> str | None:
    parent, name = PurePosixPath(path).parent, PurePosixPath(path).name
    return str(parent / name.removeprefix(_WHITEOUT)) if name.startswith(_WHITEOUT) else None


def _lies_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")
