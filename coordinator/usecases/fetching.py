"""Looking at a task, and bringing its result into our store before anything else is done with it.

What a provider says that a file is, is not believed: its first bytes tell. Hosts, redirects and
keys are the provider's own business; how much is taken is ours.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from coordinator.domain import generating, results
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.file_kinds import HEAD_BYTES, kind_of, suffix_of
from coordinator.domain.generating import Outcome
from coordinator.domain.generations import Generation, GenerationState, Parcel
from coordinator.domain.parcels import PARCEL_BYTES_MAX, is_report, parcel_of, wanted_parcels
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Cancels,
    Look,
    Phase,
    Piece,
    ProviderFault,
)
from coordinator.errors import FarmError
from coordinator.ports import StagedFile
from coordinator.usecases.farm import Farm
from coordinator.usecases.generation_rows import change_if_possible
from coordinator.usecases.orders import MODEL_SUFFIXES
from coordinator.usecases.sources import Source
from coordinator.usecases.storing import keep, let_go

log = structlog.get_logger(__name__)

LOOK_S = 120.0
# The longest meshes over a slow line.
FETCH_S = 3600.0
# What a look is put off by while the provider does not answer any.
LEFT_ALONE_S = 30.0
PICTURE_SUFFIXES = (".png", ".jpg", ".webp")


async def look(farm: Farm, source: Source, generation: Generation) -> Generation:
    """Look at a generation's task, or call it off."""
    its_id, handle, offer = generation.generation_id, generation.handle, source.offer
    assert handle is not None, "what runs has a handle"
    if generation.cancel_wanted:
        calling_off = await _call_off(farm, source, generation)
        return await change_if_possible(
            farm, its_id, lambda known, now: generating.called_off(known, calling_off, now)
        )
    host = source.host_of(handle)
    if source.stand(Call.READ, farm.clock, host) is Stand.OPEN:
        return await change_if_possible(
            farm,
            its_id,
            lambda known, now: Outcome(generation=results.later(known, LEFT_ALONE_S, now)),
        )
    capped = generation.asked.cost_max is not None or source.budget.request is not None
    try:
        asking = source.provider.look(handle)
        seen = await source.ask(Call.READ, farm.clock, asking, LOOK_S, host=host)
    except ProviderFault as error:
        fault = error
        return await change_if_possible(
            farm,
            its_id,
            lambda known, now: generating.look_failed(known, fault, capped=capped, now=now),
        )
    if seen.phase is Phase.SUCCEEDED:
        return await _succeeded(farm, source, generation, seen)
    if seen.phase is Phase.FAILED and seen.fault is not None:
        source.failed(seen.fault, farm.clock)
    late = generation.deadline_at is not None and farm.clock.now() >= generation.deadline_at
    if late and seen.phase in (Phase.QUEUED, Phase.RUNNING, Phase.UNKNOWN):
        calling_off = await _call_off(farm, source, generation)
        return await change_if_possible(
            farm, its_id, lambda known, now: generating.overdue(known, calling_off, offer, now)
        )
    return await change_if_possible(
        farm,
        its_id,
        lambda known, now: generating.looked(known, seen, offer, capped=capped, now=now),
    )


async def _succeeded(farm: Farm, source: Source, generation: Generation, seen: Look) -> Generation:
    handle, its_id = generation.handle, generation.generation_id
    assert handle is not None, "what runs has a handle"
    kept: list[Artifact] = []
    try:
        wanted = wanted_parcels(seen.pieces)
        if not wanted and not is_report(seen):
            raise no_mesh(source)
        parcels = tuple(
            [
                await store_data(farm, source, each, kept) if each.data else parcel_of(each)
                for each in wanted
            ]
        )
        return await change_if_possible(
            farm,
            its_id,
            lambda known, now: generating.delivered(known, handle, seen, parcels, now),
            kept,
        )
    except ProviderFault as error:
        fault, charged = error, generating.charged_by(seen)
        return await change_if_possible(
            farm,
            its_id,
            lambda known, now: generating.task_failed(
                known, fault, charged=charged, capped=False, now=now
            ),
        )
    finally:
        for artifact in kept:
            await let_go(farm, artifact.sha256)


async def _call_off(farm: Farm, source: Source, generation: Generation) -> CallingOff:
    if source.offer.cancels is Cancels.NEVER or generation.handle is None:
        return CallingOff.REFUSED
    try:
        asking = source.provider.call_off(generation.handle)
        return await source.ask(Call.READ, farm.clock, asking, LOOK_S)
    except ProviderFault as fault:
        log.warning(
            "generation.not_called_off",
            generation_id=generation.generation_id,
            code=fault.code,
            reason=fault.message,
        )
        return CallingOff.UNKNOWN


async def fetch(farm: Farm, source: Source, generation: Generation) -> Generation:
    """Bring all of a result that is not there yet into the store."""
    its_id, kept = generation.generation_id, list[Artifact]()
    parcels: list[Parcel] = []
    try:
        for parcel in generation.parcels:
            fetched = parcel if parcel.sha256 else await _fetch(farm, source, parcel, kept)
            parcels += [fetched] if fetched is not None else []
    except ProviderFault as error:
        fault = error
        return await change_if_possible(
            farm,
            its_id,
            lambda known, now: Outcome(generation=results.fetch_failed(known, fault, now)),
        )
    else:

        def decide(known: Generation, now: datetime) -> Outcome:
            return Outcome(generation=results.kept(known, tuple(parcels), now))

        changed = await change_if_possible(farm, its_id, decide, kept)
        await _remove_there(farm, source, changed)
        return changed
    finally:
        for artifact in kept:
            await let_go(farm, artifact.sha256)


async def _remove_there(farm: Farm, source: Source, generation: Generation) -> None:
    """Have a provider forget what is in our store; where it does not, it does so in its time."""
    if source.deletes is None or generation.handle is None:
        return
    if generation.state is not GenerationState.MAKING:
        return
    try:
        removing = source.deletes.delete(generation.handle)
        await source.ask(Call.READ, farm.clock, removing, LOOK_S)
    except ProviderFault as fault:
        log.warning(
            "generation.not_removed_there",
            generation_id=generation.generation_id,
            code=fault.code,
            reason=fault.message,
        )


async def _fetch(farm: Farm, source: Source, parcel: Parcel, kept: list[Artifact]) -> Parcel | None:
    """Fetch one piece; None for a picture that is not to be had."""
    piece = Piece(
        role=parcel.role,
        name=parcel.name,
        suffix=parcel.suffix,
        url=parcel.url,
        size_bytes=parcel.size_bytes,
        expires_at=parcel.expires_at,
        own=parcel.own,
        item=parcel.item,
    )
    try:
        async with farm.artifacts.stage(parcel.suffix) as staged:
            sink = _Capped(staged, source)
            fetching = source.provider.fetch(piece, sink)
            host = source.host_of(piece)
            await source.ask(Call.DOWNLOAD, farm.clock, fetching, FETCH_S, host=host)
            return await _keep(farm, source, piece, staged, sink.head, kept)
    except ProviderFault as fault:
        if parcel.role == "picture":
            log.info("generation.picture_missing", provider=source.name, reason=fault.message)
            return None
        raise
    except FarmError as error:
        raise ProviderFault(Blame.RETRY_SAFE, "store_full", str(error)) from error


async def store_data(farm: Farm, source: Source, piece: Piece, kept: list[Artifact]) -> Parcel:
    """Put a piece that came with the answer into the store.

    Raises:
        ProviderFault: `PROTOCOL`, it is not what it should be.
        Unavailable: the disk is full.
    """
    async with farm.artifacts.stage(piece.suffix) as staged:
        sink = _Capped(staged, source)
        await sink.write(piece.data)
        return await _keep(farm, source, piece, staged, sink.head, kept)


async def _keep(
    farm: Farm,
    source: Source,
    piece: Piece,
    staged: StagedFile,
    head: bytes,
    kept: list[Artifact],
) -> Parcel:
    suffix = _checked(source, piece, head, staged.size_bytes)
    await keep(farm, staged)
    stem = Path(piece.name).stem or piece.role
    kinds = {"picture": ArtifactKind.PICTURE, "code": ArtifactKind.CODE}
    artifact = Artifact(
        sha256=staged.sha256,
        kind=kinds.get(piece.role, ArtifactKind.MODEL),
        name=f"{stem}{suffix}",
        size_bytes=staged.size_bytes,
        created_at=farm.clock.now(),
    )
    kept.append(artifact)
    return replace(parcel_of(piece, staged.sha256, suffix), size_bytes=staged.size_bytes, url="")


def _checked(source: Source, piece: Piece, head: bytes, size_bytes: int) -> str:
    """Return what a piece is.

    Raises:
        ProviderFault: `PROTOCOL`, it is not what its role wants.
    """
    found, said = kind_of(head, size_bytes), suffix_of(f"x{piece.suffix}")
    if found == ".zip" and said == ".3mf":
        found = ".3mf"
    title = source.offer.title
    if not size_bytes:
        raise ProviderFault(Blame.PROTOCOL, "empty_file", f"{title} gave an empty file")
    if piece.role == "mesh" and found not in MODEL_SUFFIXES:
        words = f"{title} gave a file that is no mesh that can be read here"
        raise ProviderFault(Blame.PROTOCOL, "not_a_mesh", words)
    if piece.role == "picture" and found not in PICTURE_SUFFIXES:
        raise ProviderFault(Blame.PROTOCOL, "not_a_picture", f"{title} gave no picture")
    if piece.role == "code":
        return said or ".txt"
    return found or said


def no_mesh(source: Source) -> ProviderFault:
    """Return what is wrong with a result that has no mesh."""
    words = f"{source.offer.title} says that it succeeded, but gave no mesh"
    return ProviderFault(Blame.PROTOCOL, "no_mesh", words)


@dataclass(slots=True, eq=False)
class _Capped:
    """A staged file that takes only so much, and remembers how it begins."""

    _staged: StagedFile
    _source: Source
    head: bytes = b""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._staged.path

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._staged.sha256

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""
        return self._staged.size_bytes

    async def write(self, chunk: bytes) -> None:
        """Append; as `StagedFile`.

        Raises:
            ProviderFault: `PROTOCOL`, it is too long.
        """
        if self._staged.size_bytes + len(chunk) > PARCEL_BYTES_MAX:
            most = PARCEL_BYTES_MAX // 2**20
            words = f"{self._source.offer.title} gave a file of more than {most} MiB"
            raise ProviderFault(Blame.PROTOCOL, "too_large", words)
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        await self._staged.write(chunk)

    async def keep(self) -> None:
        """Refuse: who fetches does not decide what is kept."""
        raise AssertionError("a provider only writes")
