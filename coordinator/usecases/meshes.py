"""Meshes that providers work on: as bytes, in a format that they take, before anything is paid.

The farm's own models are 3MF, which hardly any service takes; so what it does not take becomes an
STL first, just as it is: a service that mends or judges it is to see what is wrong.
"""

import asyncio
from dataclasses import replace

from coordinator.domain.file_kinds import HEAD_BYTES, kind_of
from coordinator.domain.providing import Kind, Offer, Wish
from coordinator.errors import Refused
from coordinator.usecases.farm import Farm


async def with_mesh(farm: Farm, offer: Offer, wish: Wish) -> Wish:
    """Return a wish with its mesh, where it is about one.

    Raises:
        Refused: it is not there, no mesh, or too long.
        Unavailable: the workshop does not answer now.
    """
    if wish.kind is not Kind.MESH:
        return wish
    size_bytes = await farm.artifacts.size(wish.mesh_sha256)
    if size_bytes is None:
        raise Refused("mesh_unusable", "the mesh is not in the farm's store any more")
    head = await _read(farm, wish.mesh_sha256, min(size_bytes, HEAD_BYTES))
    if kind_of(head, size_bytes) in offer.mesh_types:
        _check_length(offer, size_bytes)
        return replace(wish, mesh=await _read(farm, wish.mesh_sha256, size_bytes))
    return replace(wish, mesh=await _as_stl(farm, offer, wish.mesh_sha256))


async def _as_stl(farm: Farm, offer: Offer, sha256: str) -> bytes:
    async with farm.artifacts.as_file(sha256) as model, farm.artifacts.scratch() as folder:
        made = folder / "model.stl"
        await farm.workshop.as_stl(model, made)
        _check_length(offer, (await asyncio.to_thread(made.stat)).st_size)
        return await asyncio.to_thread(made.read_bytes)


def _check_length(offer: Offer, size_bytes: int) -> None:
    if size_bytes > offer.mesh_bytes_max:
        raise Refused(
            "mesh_unusable",
            f"the mesh has {size_bytes:,} bytes as it is sent, and {offer.title} takes "
            f"{offer.mesh_bytes_max:,}: make it coarser",
        )


async def _read(farm: Farm, sha256: str, stop: int) -> bytes:
    return b"".join([chunk async for chunk in farm.artifacts.read(sha256, start=0, stop=stop)])
