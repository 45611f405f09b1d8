"""Which pieces of a provider's result are fetched, and what models they make."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from coordinator.domain.generations import Asked, Parcel
from coordinator.domain.history import Plain
from coordinator.domain.providing import Kind, Look, Phase, Piece

# A result is a few files; who answers with thousands is not one that we know.
PARCELS_MAX, PICTURES_MAX, ITEMS_MAX = 24, 4, 8
# The longest meshes of today's services have some 100 MB.
PARCEL_BYTES_MAX = 512 * 1024 * 1024
# As the API takes names of models.
_NAME_CHARACTERS_MAX = 120


def wanted_parcels(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return the pieces to be fetched: of each item its best mesh, all code, a few pictures."""
    wanted: list[Piece] = []
    meshes: set[int] = set()
    pictures = 0
    for piece in pieces:
        if piece.role == "mesh":
            if piece.item in meshes or len(meshes) >= ITEMS_MAX:
                continue
            meshes.add(piece.item)
        elif piece.role == "picture":
            pictures += 1
            if pictures > PICTURES_MAX:
                continue
        elif piece.role not in ("code", "step"):
            continue
        wanted.append(piece)
    return tuple(wanted[:PARCELS_MAX]) if meshes else ()


def is_report(look: Look) -> bool:
    """Whether a task has succeeded that only looked at a mesh: its answer is in words."""
    return look.phase is Phase.SUCCEEDED and "report" in look.told


def parcel_of(piece: Piece, sha256: str = "", suffix: str = "") -> Parcel:
    """Return a piece as it is kept in the row."""
    return Parcel(
        role=piece.role,
        name=piece.name,
        suffix=suffix or piece.suffix.lower(),
        url=piece.url,
        size_bytes=piece.size_bytes,
        expires_at=piece.expires_at,
        own=piece.own,
        item=piece.item,
        sha256=sha256,
    )


def models_of(
    asked: Asked, told: Mapping[str, Plain], meshes: Sequence[Parcel]
) -> tuple[tuple[str, int], ...]:
    """Return of each mesh what its model is called, and which of the models that is, from 0.

    What a link leads to are different parts, a model each, called after the whole and their files;
    what a provider makes several times over of one wish are versions of one model.

    Args:
        told: as in `Look`; `title` is what the source calls the whole.
    """
    title = told.get("title")
    named = asked.name if asked.named or not isinstance(title, str) else title
    whole = named[:_NAME_CHARACTERS_MAX].strip() or asked.name
    if asked.kind is not Kind.LINK or len(meshes) == 1:
        return tuple((whole, 0) for _ in meshes)
    parts = [PurePosixPath(each.name).stem for each in meshes]
    names = (part if part.casefold() == whole.casefold() else f"{whole}, {part}" for part in parts)
    return tuple((each[:_NAME_CHARACTERS_MAX], number) for number, each in enumerate(names))
