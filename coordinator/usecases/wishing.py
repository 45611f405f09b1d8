"""A generation's row as the wish that its provider is told, with pictures and what was said."""

import hashlib
import json

from coordinator.domain.generations import Asked, Generation
from coordinator.domain.providing import Picture, Said, Wish
from coordinator.errors import NotFound
from coordinator.ports import ArtifactStore, Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.sources import Source

# More than anybody reads again; what is older is left out.
CONVERSATION_MAX = 50


async def wish_of(farm: Farm, asked: Asked) -> Wish:
    """Return the wish.

    Raises:
        NotFound: a picture, or what it continues, is gone.
    """
    conversation: tuple[Said, ...] = ()
    code = asked.code
    if asked.continues:
        async with farm.store.read() as unit:
            conversation = await _conversation(unit, asked.continues)
            source_sha256 = await _code_of(unit, asked.continues)
        if source_sha256 and not code:
            code = (await _bytes(farm.artifacts, source_sha256)).decode("utf-8", "replace")
    pictures = [
        Picture(
            media_type=each.media_type,
            data=await _bytes(farm.artifacts, each.sha256),
            sha256=each.sha256,
        )
        for each in asked.pictures
    ]
    return Wish(
        kind=asked.kind,
        prompt=asked.prompt,
        pictures=tuple(pictures),
        conversation=conversation,
        code=code,
        parameters=asked.parameters,
        url=asked.url,
        mesh_sha256=asked.mesh_sha256,
        size_mm=asked.size_mm,
        seed=asked.seed,
        options=asked.options,
    )


async def chain_of(unit: Unit, generation_id: str) -> list[Generation]:
    """Return a conversation's generations up to this one, oldest first."""
    chain: list[Generation] = []
    while generation_id and len(chain) < CONVERSATION_MAX:
        found = await unit.generation(generation_id)
        if found is None:
            break
        chain.append(found)
        generation_id = found.asked.continues
    return chain[::-1]


def fingerprint_of(source: Source, asked: Asked) -> str:
    """Return what is the same for requests that ask the same of the same."""
    said = [
        source.name,
        source.offer.service,
        source.configured,
        asked.kind.value,
        asked.prompt,
        [each.sha256 for each in asked.pictures],
        asked.continues,
        asked.code,
        dict(asked.parameters),
        asked.url,
        asked.mesh_sha256,
        asked.size_mm,
        asked.seed,
        dict(asked.options),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


async def _conversation(unit: Unit, generation_id: str) -> tuple[Said, ...]:
    said: list[Said] = []
    for each in await chain_of(unit, generation_id):
        if each.asked.prompt:
            said.append(Said(speaker="user", text=each.asked.prompt))
        if each.said:
            said.append(Said(speaker="assistant", text=each.said))
    return tuple(said)


async def _code_of(unit: Unit, generation_id: str) -> str:
    """Return the hash of the code that a generation's version is made of; empty for none."""
    found = await unit.generation(generation_id)
    for model_id, number in found.versions[:1] if found is not None else ():
        version = await unit.model_version(model_id, number)
        return version.source_sha256 if version is not None else ""
    return ""


async def _bytes(artifacts: ArtifactStore, sha256: str) -> bytes:
    size = await artifacts.size(sha256)
    if size is None:
        raise NotFound("artifact", sha256)
    chunks = [chunk async for chunk in artifacts.read(sha256, start=0, stop=size)]
    return b"".join(chunks)
