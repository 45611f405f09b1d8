"""Plates that were made before: what is asked for again is not sliced again.

One folder, two files a plate: `KEY.gcode` and `KEY.json`. Each appears whole or not at all, the
JSON last; what is garbled is no plate. The least recently used go first. Several processes may use
one folder; the worst that a race can do is to slice once more.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Raised whenever the same request would now give another plate.
PIPELINE_VERSION = 1

_KEY_CHARACTERS = 64
_UNFINISHED = ".farmhand-cache-"
# No copy takes so long; what is older belongs to a process that was killed.
_UNFINISHED_S_MAX = 3600.0


def key(
    geometry: Iterable[Path],
    *,
    placement: Mapping[str, Any],
    configuration: str,
    engine: str,
    installation: str,
) -> str:
    """Return what names a plate: the sha256 of all that shapes it.

    Args:
        geometry: the models' files; their bytes count, not their names.
        placement: what is done with them before they are sliced; ready for JSON.
        configuration: fingerprint of every setting, G-code texts included.
        installation: what tells the engine's program from any other.
    """
    digest = hashlib.sha256()
    for path in geometry:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    words = {
        "pipeline": PIPELINE_VERSION,
        "placement": placement,
        "configuration": configuration,
        "engine": [engine, installation],
    }
    digest.update(json.dumps(words, sort_keys=True).encode())
    return digest.hexdigest()


class Cache:
    """Plates in a folder, bounded in bytes."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        """Use a folder, which is made when the first plate is put there."""
        self._folder = folder
        self._bytes_max = bytes_max

    def get(self, name: str, output_path: Path) -> dict[str, Any] | None:
        """Put a plate where it is wanted and return its result; None where there is none.

        Args:
            name: its key.
            output_path: appears whole, as the last act.
        """
        plate, result = self._paths(name)
        made: Path | None = None
        try:
            document = json.loads(result.read_bytes())
            made = _beside(output_path)
            shutil.copyfile(plate, made)
            with made.open("rb") as file:
                intact = hashlib.file_digest(file, "sha256").hexdigest() == document["plate_sha256"]
            if not intact:
                raise ValueError("the plate is not what was put there")
            found = dict(document["result"])
            made.replace(output_path)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            self._drop(name)
            return None
        finally:
            if made is not None:
                made.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.utime(result)  # used just now
        return found

    def put(self, name: str, plate: Path, result: Mapping[str, Any]) -> None:
        """Keep a plate; whatever stands in the way, it is then just not kept."""
        kept, document = self._paths(name)
        with contextlib.suppress(OSError):
            if plate.stat().st_size > self._bytes_max:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            copy = _beside(kept)
            try:
                shutil.copyfile(plate, copy)
                with copy.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                copy.replace(kept)
            finally:
                copy.unlink(missing_ok=True)
            text = _beside(document)
            try:
                words = {"plate_sha256": sha256, "result": dict(result)}
                text.write_text(json.dumps(words), encoding="utf-8")
                text.replace(document)
            finally:
                text.unlink(missing_ok=True)
            self._make_room(keep=name)

    def _make_room(self, *, keep: str) -> None:
        """Drop the least recently used until the rest fits; what a crash left goes as well."""
        sizes, used_at = Counter[str](), dict[str, float]()
        abandoned_before = time.time() - _UNFINISHED_S_MAX
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                facts = path.stat()
                if path in self._paths(path.stem):
                    sizes[path.stem] += facts.st_size
                    if path.suffix == ".json":
                        used_at[path.stem] = facts.st_mtime
                elif path.name.startswith(_UNFINISHED) and facts.st_mtime < abandoned_before:
                    path.unlink()
        total = sizes.total()
        for name in sorted(sizes, key=lambda each: used_at.get(each, 0.0)):
            if total <= self._bytes_max:
                return
            if name != keep:
                self._drop(name)
                total -= sizes[name]

    def _drop(self, name: str) -> None:
        for path in reversed(self._paths(name)):  # the JSON first: without it there is no plate
            path.unlink(missing_ok=True)

    def _paths(self, name: str) -> tuple[Path, Path]:
        stem = name[:_KEY_CHARACTERS]
        return self._folder / f"{stem}.gcode", self._folder / f"{stem}.json"


def _beside(path: Path) -> Path:
    """Return a new, empty file in the folder of a path."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    os.close(handle)
    return Path(name)
