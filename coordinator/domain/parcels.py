"""Which pieces of a provider's result are fetched, and how they are remembered until they are."""

from coordinator.domain.generations import Parcel
from coordinator.domain.providing import Piece

# A result is a few files; who answers with thousands is not one that we know.
PARCELS_MAX, PICTURES_MAX, ITEMS_MAX = 24, 4, 8
# The longest meshes of today's services have some 100 MB.
PARCEL_BYTES_MAX = 512 * 1024 * 1024


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
