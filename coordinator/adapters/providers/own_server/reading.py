"""What a configured server's answers say: phases, files and faults, found by pointers."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin, urlsplit

from coordinator.adapters.providers.blaming import Reply, Spoken, clean, read_plainly
from coordinator.adapters.providers.json_pointer import (
    number_at,
    size_at,
    text_at,
    value_at,
)
from coordinator.adapters.providers.own_server.options import OwnServerOptions, Result, Words
from coordinator.domain.file_kinds import HEAD_BYTES, MESHES, kind_of, suffix_of
from coordinator.domain.providing import Blame, Cost, Look, Phase, Piece, ProviderFault

FILES_MAX = 100
_PICTURES = (".png", ".jpg", ".webp")
# What servers call the phases, where the configuration says nothing of a word.
_WORDS = {
    Phase.QUEUED: "queued pending created waiting submitted in_queue",
    Phase.RUNNING: "running processing in_progress started generating",
    Phase.SUCCEEDED: "succeeded success completed complete done finished",
    Phase.FAILED: "failed failure error",
    Phase.CANCELLED: "canceled cancelled aborted",
}
_USUAL = {word: phase for phase, words in _WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the answers of one server."""

    title: str
    options: OwnServerOptions
    secrets: Sequence[str] = ()

    def phase(self, document: Any) -> Phase:
        """Return where a task stands; `UNKNOWN` for a word that nobody told of."""
        assert self.options.status is not None
        word = text_at(document, self.options.status.phase)
        told = self.options.status.phases.get(word)
        return told or _USUAL.get(word.lower(), Phase.UNKNOWN)

    def look(self, document: Any) -> Look:
        """Return how a task is, but for its files."""
        status = self.options.status
        assert status is not None
        phase = self.phase(document)
        progress = number_at(document, status.progress) if status.progress is not None else None
        position = None
        if status.queue_position is not None and phase is Phase.QUEUED:
            position = number_at(document, status.queue_position)
        return Look(
            phase=phase,
            progress=None if progress is None else min(max(progress / status.progress_full, 0), 1),
            stage="" if phase is not Phase.UNKNOWN else "its server says a word that is not known",
            queue_position=None if position is None else max(0, int(position)),
            fault=self.failure(document) if phase is Phase.FAILED else None,
            charged=self.charged(document) if phase is Phase.SUCCEEDED else None,
        )

    def failure(self, document: Any) -> ProviderFault:
        """Return the fault of a task that was run and failed."""
        spoken = spoken_in(self.options.words, document)
        words = clean(spoken.message, self.secrets) or "its server does not say why"
        return ProviderFault(
            spoken.blame or Blame.PROVIDER_FAILED,
            clean(spoken.code, self.secrets)[:80] or "task_failed",
            f"{self.title} failed: {words}",
        )

    def charged(self, document: Any) -> Cost | None:
        """Return what a task cost, as far as it is known."""
        price = self.options.cost
        seconds = number_at(document, price.seconds) if price.seconds is not None else None
        if price.per_s and seconds is None:
            return None
        amount = price.fixed + price.per_s * Decimal(str(max(seconds or 0, 0)))
        return Cost(amount=amount, unit=price.unit, exact=True) if amount else None

    def pieces(self, document: Any, asked_at: str, path: str = "") -> tuple[Piece, ...]:
        """Return the files that an answer tells of, best mesh first.

        Args:
            asked_at: the address that was asked; what is relative is relative to it.
            path: the file's address, where that is known without being told.
        """
        result = self.options.result
        listed = [document] if result.files is None else value_at(document, result.files)
        found = []
        for entry in (listed if isinstance(listed, list) else [])[:FILES_MAX]:
            if piece := _piece(result, entry, asked_at, path):
                found.append(piece)
        return tuple(sorted(found, key=_rank))


def spoken_in(words: Words, document: Any) -> Spoken:
    """Return what an answer says went wrong."""
    plain = read_plainly(
        Reply(status=0, headers={}, body=json.dumps(document).encode())
        if isinstance(document, dict)
        else Reply(status=0, headers={}, body=b"")
    )
    code = text_at(document, words.code) if words.code is not None else plain.code
    message = text_at(document, words.message) if words.message is not None else ""
    return Spoken(blame=words.blames.get(code), code=code, message=message or plain.message)


def whole_file(reply: Reply, suffix: str) -> Piece:
    """Return the file that an answer is.

    Raises:
        ProviderFault: it is none.
    """
    kind = kind_of(reply.body[:HEAD_BYTES], len(reply.body))
    if not reply.body or kind in (".html", *_PICTURES):
        raise reply.nonsense("it is no model")
    suffix = kind if kind in MESHES else suffix
    return Piece(
        role="mesh",
        name=f"model{suffix}",
        suffix=suffix,
        data=reply.body,
        size_bytes=len(reply.body),
    )


def _piece(result: Result, entry: Any, asked_at: str, path: str) -> Piece | None:
    name = text_at(entry, result.name) if result.name is not None else ""
    data = _decoded(text_at(entry, result.data)) if result.data is not None else b""
    url = text_at(entry, result.url) if result.url is not None else ""
    url = urljoin(asked_at, url or path) if url or path else ""
    if not data and urlsplit(url).scheme not in ("http", "https"):
        return None
    kind = kind_of(data[:HEAD_BYTES], len(data)) if data else ""
    named = suffix_of(name) or suffix_of(urlsplit(url).path)
    suffix = next((each for each in (kind, named) if each in (*MESHES, *_PICTURES)), "")
    if not suffix and not named:
        suffix = result.format
    size = size_at(entry, result.size) if result.size is not None else None
    return Piece(
        role="mesh" if suffix in MESHES else "picture" if suffix in _PICTURES else "other",
        name=name or f"model{suffix}",
        suffix=suffix or named,
        url="" if data else url,
        data=data,
        size_bytes=len(data) if data else size,
        own=not data,
    )


def _decoded(text: str) -> bytes:
    """Return what a base64 text holds, also as a data URI; nothing where it is none."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _rank(piece: Piece) -> tuple[int, int]:
    roles = ("mesh", "picture", "other")
    return (
        roles.index(piece.role),
        MESHES.index(piece.suffix) if piece.suffix in MESHES else len(MESHES),
    )
