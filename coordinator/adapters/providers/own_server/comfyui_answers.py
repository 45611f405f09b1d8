"""ComfyUI's answers: what stands in its queue, what its nodes saved, and what it refuses."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from coordinator.adapters.providers.blaming import Reply, Spoken
from coordinator.adapters.providers.json_pointer import number_at, text_at, value_at
from coordinator.domain.file_kinds import MESHES, suffix_of
from coordinator.domain.providing import Piece

_PICTURES = (".png", ".jpg", ".webp")
_PIECES_MAX = 100


def place_in(queue: Any, task_id: str) -> int | None:
    """Return a prompt's place in the queue: 0 while it runs, None where it has none."""
    if task_id in [each for _, each in _entries(value_at(queue, "/queue_running"))]:
        return 0
    # Which is next, a number of each tells, not the list's order.
    waiting = [each for _, each in sorted(_entries(value_at(queue, "/queue_pending")))]
    return waiting.index(task_id) + 1 if task_id in waiting else None


def pieces_of(outputs: Any, nodes: Sequence[str], base_url: str) -> tuple[Piece, ...]:
    """Return the files that nodes saved: meshes first, kept ones before previews, the best first.

    Args:
        nodes: whose files count; all where it is empty.
    """
    found: list[tuple[bool, Piece]] = []
    for name, folder, place in _saved(outputs, nodes):
        suffix = suffix_of(name)
        role = "mesh" if suffix in MESHES else "picture" if suffix in _PICTURES else ""
        if role and len(found) < _PIECES_MAX:
            query = urlencode({"filename": name, "subfolder": folder, "type": place})
            url = f"{base_url}/view?{query}"
            piece = Piece(role=role, name=name, suffix=suffix, url=url, own=True)
            found.append((place != "output", piece))
    found.sort(key=lambda each: (each[1].role != "mesh", each[0], _rank(each[1])))
    return tuple(piece for _, piece in found)


def messages_of(entry: Any) -> dict[str, Any]:
    """Return what happened to a prompt that ended, by name; of the same the last."""
    listed = value_at(entry, "/status/messages")
    return {
        str(message[0]): message[1]
        for message in (listed if isinstance(listed, list) else [])
        if isinstance(message, list) and len(message) == 2
    }


def spoken_of(reply: Reply) -> Spoken:
    """Read what it says of a workflow that it does not take."""
    try:
        told = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Spoken()
    words = [text_at(told, "/error/message"), text_at(told, "/error/details")]
    errors = value_at(told, "/node_errors")
    for node, error in list(errors.items())[:3] if isinstance(errors, dict) else ():
        said = text_at(error, "/errors/0/message"), text_at(error, "/errors/0/details")
        words.append(f"node {node}: {' '.join(said)}")
    return Spoken(
        code=text_at(told, "/error/type"), message="; ".join(word for word in words if word)
    )


def _saved(outputs: Any, nodes: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, folder and place (`output`, `temp`) of each file that nodes tell of."""
    for node, told in outputs.items() if isinstance(outputs, dict) else ():
        if (nodes and node not in nodes) or not isinstance(told, dict):
            continue
        for entry in (each for each in told.values() if isinstance(each, list) for each in each):
            if isinstance(entry, dict) and text_at(entry, "/filename"):
                place = text_at(entry, "/type") or "output"
                yield text_at(entry, "/filename"), text_at(entry, "/subfolder"), place
            elif suffix_of(text_at(entry, "")) in MESHES:
                folder, _, name = text_at(entry, "").replace("\\", "/").rpartition("/")
                yield name, folder, "output"


def _rank(piece: Piece) -> int:
    return MESHES.index(piece.suffix) if piece.suffix in MESHES else len(MESHES)


def _entries(listed: Any) -> list[tuple[float, str]]:
    """Return number and id of a queue's entries."""
    return [
        (number_at(entry, "/0") or 0.0, text_at(entry, "/1"))
        for entry in (listed if isinstance(listed, list) else [])
    ]
