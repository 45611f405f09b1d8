"""Releases of the agent are taken in, and rolled out; `domain/updates.py` has the theory."""

import asyncio
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from coordinator.domain import releases, rolling_out, updates
from coordinator.domain.effects import Save
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.releases import Release
from coordinator.domain.rolling_out import Ask, Step
from coordinator.domain.updates import AgentView, Rollout, RolloutState
from coordinator.errors import NotFound, NotNow, Refused, Unavailable
from coordinator.ports import StagedFile, Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import writing
from coordinator.usecases.storing import keep, let_go
from protocols.errors import ReleaseUnfit, ReleaseUntrusted
from protocols.release import manifest as manifests
from protocols.release.manifest import MANIFEST, Manifest
from protocols.release.signing import name_of, signature
from protocols.wire.compat import OURS
from protocols.wire.from_agent import Presence
from protocols.wire.to_agent import Command, Scalar
from protocols.wire.vocabulary import AgentId, PrinterId, PrinterState

log = structlog.get_logger(__name__)

RELEASE_PATH = "/api/v1/releases/{version}/file"
# Of the wire: agents before this one know nothing of releases.
MINOR_MIN = 2
# Who looks at a farm's updates looks at the last ones.
ROLLOUTS_SHOWN = 20
# An agent that is told a second time of a thing does it once.
EXPIRES_S = 30.0
_DUMB = (PrinterState.OFFLINE, PrinterState.HALTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutWish:
    """What somebody wants of a rollout; see `Rollout`.

    Attributes:
        agents: which; None for all that have not been shut out.
        canaries: of these, who is first; None for one that is chosen.
        wave_size: of the others; 0 for a quarter of them.
    """

    version: str
    agents: tuple[str, ...] | None = None
    canaries: tuple[str, ...] | None = None
    wave_size: int = 0
    soak_s: float = 60.0
    start_s: float = 120.0
    troubles_max: int = 0


async def add_release(
    farm: Farm, staged: StagedFile, said: str, actor: str, origin: str = ""
) -> Release:
    """Take a release in, to be handed to agents; the same again changes nothing.

    Args:
        said: the signature, as minisign writes it.

    Raises:
        Refused: `release_invalid`, or `release_protocol`: it speaks no version of ours.
        NotNow: `release_exists`: another file has this version.
        Unavailable: the disk is full.
    """
    try:
        signed = signature(said)
        manifest = await asyncio.to_thread(_manifest_in, staged.path)
    except (ReleaseUntrusted, ReleaseUnfit) as error:
        raise Refused("release_invalid", str(error)) from error
    if not manifest.protocol_min <= OURS.highest <= manifest.protocol_max:
        raise Refused(
            "release_protocol",
            f"{manifest.version} speaks version {manifest.protocol_min} to "
            f"{manifest.protocol_max} of the wire, and this coordinator {OURS.highest}",
        )
    artifact = Artifact(
        sha256=staged.sha256,
        kind=ArtifactKind.RELEASE,
        name=f"farmhand-agent-{manifest.version}.zip",
        size_bytes=staged.size_bytes,
        created_at=farm.clock.now(),
    )
    await keep(farm, staged)
    try:
        async with writing(farm, actor, origin) as transaction:
            known = await transaction.unit.release(manifest.version)
            if known is not None and known.sha256 != artifact.sha256:
                raise NotNow("release_exists", f"another file is release {manifest.version}")
            if known is not None and known.signature == said:
                return known
            release = releases.release_of(
                manifest,
                sha256=artifact.sha256,
                size_bytes=artifact.size_bytes,
                signature=said,
                key_name=name_of(signed.key_id),
                added_by=actor,
                added_at=transaction.now,
            )
            await transaction.unit.save_release(release)
            added = releases.note(release, "release.added")
            await transaction.perform((Save(artifact), added))
            return release
    finally:
        await let_go(farm, artifact.sha256)


async def drop_release(farm: Farm, version: str, actor: str, origin: str = "") -> Release:
    """Hand a release to nobody any more; its file goes with the next cleaning.

    Raises:
        NotFound: there is none.
        NotNow: `rollout_live`.
    """
    async with writing(farm, actor, origin) as transaction:
        release = await the_release(transaction.unit, version)
        live = await _live(transaction.unit)
        if live is not None and live.version == version:
            raise NotNow("rollout_live", f"{version} is being rolled out: halt that first")
        await transaction.unit.drop_release(version)
        await transaction.perform((releases.note(release, "release.removed"),))
    return release


async def all_releases(farm: Farm) -> list[Release]:
    """Return all releases, the last one first."""
    async with farm.store.read() as unit:
        return await unit.releases()


async def rollouts(farm: Farm) -> list[Rollout]:
    """Return the last rollouts, the last one first."""
    async with farm.store.read() as unit:
        return await unit.rollouts(ROLLOUTS_SHOWN)


async def begin_rollout(
    farm: Farm, wish: RolloutWish, actor: str, origin: str = "", *, rollout_id: str = ""
) -> Rollout:
    """Begin to bring a release to agents.

    Raises:
        NotFound: there is no such release, or no such agent.
        NotNow: `rollout_live`: one is going on.
        Refused: `no_agents`: there is nobody to bring it to; `canary_elsewhere`: one of the
            canaries is not among the agents.
    """
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        await the_release(unit, wish.version)
        await _require_none_live(unit)
        agents = await _meant(unit, wish.agents)
        views = await _views(farm, unit)
        canaries = _canaries(agents, wish, views, await _busy(unit))
        rollout = Rollout(
            rollout_id=rollout_id or farm.ids.new("rollout"),
            version=wish.version,
            agents=updates.stages(agents, canaries, wish.wave_size),
            soak_s=wish.soak_s,
            start_s=wish.start_s,
            troubles_max=wish.troubles_max,
            made_by=actor,
            made_at=transaction.now,
            changed_at=transaction.now,
        )
        await unit.save_rollout(rollout)
        planned = updates.note(rollout, "rollout.planned")
        await transaction.perform((planned,))
    _tell(Step(rollout=rollout, notes=(planned,)))
    farm.poke("updates")
    return rollout


async def halt_rollout(farm: Farm, rollout_id: str, actor: str, origin: str = "") -> Rollout:
    """Ask nobody else; who has not begun its trial lets it be.

    Raises:
        NotFound: there is none.
        NotNow: `rollout_over`: it does not go on anyhow.
    """
    async with writing(farm, actor, origin) as transaction:
        rollout = await the_rollout(transaction.unit, rollout_id)
        if not rollout.live:
            raise NotNow("rollout_over", f"the rollout is {rollout.state.value}")
        step = rolling_out.halt(rollout, f"by {actor}", transaction.now)
        await transaction.unit.save_rollout(step.rollout)
        await transaction.perform(step.notes)
    _tell(step)
    await _ask(farm, step, None)
    return step.rollout


async def resume_rollout(farm: Farm, rollout_id: str, actor: str, origin: str = "") -> Rollout:
    """Go on with a rollout that was halted; who went wrong is asked once more.

    Raises:
        NotFound: there is none, or its release is gone.
        NotNow: `rollout_over`: it is not halted; `rollout_live`: another one is going on.
    """
    async with writing(farm, actor, origin) as transaction:
        rollout = await the_rollout(transaction.unit, rollout_id)
        if rollout.state is not RolloutState.HALTED:
            raise NotNow("rollout_over", f"the rollout is {rollout.state.value}, not halted")
        await the_release(transaction.unit, rollout.version)
        await _require_none_live(transaction.unit)
        step = rolling_out.resume(rollout, transaction.now)
        await transaction.unit.save_rollout(step.rollout)
        await transaction.perform(step.notes)
    _tell(step)
    farm.poke("updates")
    return step.rollout


async def advance_rollout(farm: Farm) -> None:
    """Look at the last rollout, and do what is to be done now."""
    async with farm.store.read() as unit:
        found = await unit.rollouts(1)
    if not found or not found[0].followed:
        return
    async with writing(farm, "farm", "rollout") as transaction:
        unit = transaction.unit
        rollout = await the_rollout(unit, found[0].rollout_id)
        step = rolling_out.advance(rollout, await _views(farm, unit), transaction.now)
        if step.rollout != rollout:
            await unit.save_rollout(step.rollout)
        await transaction.perform(step.notes)
        release = await unit.release(rollout.version)
    _tell(step)
    await _ask(farm, step, release)


async def the_release(unit: Unit, version: str) -> Release:
    """Return a release; NotFound where there is none."""
    release = await unit.release(version)
    if release is None:
        raise NotFound("release", version)
    return release


async def the_rollout(unit: Unit, rollout_id: str) -> Rollout:
    """Return a rollout; NotFound where there is none."""
    rollout = await unit.rollout(rollout_id)
    if rollout is None:
        raise NotFound("rollout", rollout_id)
    return rollout


def _tell(step: Step) -> None:
    """Log what history was told."""
    for note in step.notes:
        about = {"agent_id": note.subject_id} if note.subject == "agent" else {}
        rollout = step.rollout
        about |= {"rollout_id": rollout.rollout_id, "version": rollout.version}
        log.info(note.name, **about, reason=note.cause)


async def _ask(farm: Farm, step: Step, release: Release | None) -> None:
    """Say what is asked; how it goes agents tell by themselves, and what is lost is said again."""
    for ask in step.asks:
        arguments = _arguments(step.rollout, ask, release)
        if arguments is None:
            continue
        command = Command(
            id=farm.ids.new("command"),
            agent_id=ask.agent_id,
            name=ask.name,
            arguments=arguments,
            expires_s=EXPIRES_S,
        )
        if ask.name == "update":
            # What it told of an earlier try is no answer to this one.
            _forget_report(farm.live.presences, ask.agent_id)
        about = {"agent_id": ask.agent_id, "rollout_id": step.rollout.rollout_id}
        log.info("command.sent", command_id=command.id, name=command.name, **about)
        try:
            await farm.link.send_command(command)
        except Unavailable as error:
            log.info("update.unsaid", reason=str(error), **about)


def _arguments(rollout: Rollout, ask: Ask, release: Release | None) -> dict[str, Scalar] | None:
    if ask.name != "update":
        return {"version": rollout.version}
    if release is None:
        return None
    return {
        "version": release.version,
        "sha256": release.sha256,
        "size_bytes": release.size_bytes,
        "url": RELEASE_PATH.format(version=release.version),
        "signature": release.signature,
        "trial_s": rollout.trial_s,
    }


def _forget_report(presences: dict[AgentId, Presence], agent_id: AgentId) -> None:
    if (known := presences.get(agent_id)) is not None:
        presences[agent_id] = replace(known, update=None)


async def _views(farm: Farm, unit: Unit) -> dict[AgentId, AgentView]:
    """Return all agents that presented themselves to this process, as they are now."""
    reachable: dict[AgentId, set[PrinterId]] = {}
    for printer in await unit.printers():
        if printer.online and printer.seen not in _DUMB:
            reachable.setdefault(printer.agent_id, set()).add(printer.printer_id)
    views = {}
    for agent in await unit.agents():
        presence = farm.live.presences.get(agent.agent_id)
        if presence is not None:
            views[agent.agent_id] = AgentView(
                online=agent.online,
                build=presence.build,
                report=presence.update,
                reachable=frozenset(reachable.get(agent.agent_id, ())),
                able=presence.protocol_minor >= MINOR_MIN,
            )
    return views


async def _meant(unit: Unit, said: tuple[str, ...] | None) -> list[AgentId]:
    """Return which agents are meant; NotFound for one that nobody knows."""
    known = {agent.agent_id for agent in await unit.agents()}
    if said is None:
        shut_out = {each.agent_id for each in await unit.agent_credentials() if not each.good}
        meant = sorted(known - shut_out)
    else:
        meant = list(dict.fromkeys(AgentId(each) for each in said))
        for agent_id in meant:
            if agent_id not in known:
                raise NotFound("agent", agent_id)
    if not meant:
        raise Refused("no_agents", "there is no agent yet that it could be brought to")
    return meant


def _canaries(
    agents: Collection[AgentId],
    wish: RolloutWish,
    views: Mapping[AgentId, AgentView],
    busy: Mapping[AgentId, int],
) -> list[AgentId]:
    if wish.canaries is not None:
        elsewhere = [each for each in wish.canaries if each not in agents]
        if elsewhere or not wish.canaries:
            words = ", ".join(elsewhere) or "nobody"
            raise Refused("canary_elsewhere", f"{words}: name canaries that are among the agents")
        return [AgentId(each) for each in dict.fromkeys(wish.canaries)]

    def cost(agent_id: AgentId) -> tuple[bool, int, int, str]:
        view = views.get(agent_id)
        printers = len(view.reachable) if view is not None else 0
        # One that is there, prints nothing, and has a printer to be judged by, or few.
        away = view is None or not view.online or not view.able
        return away, busy.get(agent_id, 0), printers or 1000, agent_id

    return [min(agents, key=cost)]


async def _busy(unit: Unit) -> dict[AgentId, int]:
    counts: dict[AgentId, int] = {}
    for printer in await unit.printers():
        counts[printer.agent_id] = counts.get(printer.agent_id, 0) + (printer.run_id is not None)
    return counts


async def _live(unit: Unit) -> Rollout | None:
    return next((each for each in await unit.rollouts(ROLLOUTS_SHOWN) if each.live), None)


async def _require_none_live(unit: Unit) -> None:
    live = await _live(unit)
    if live is not None:
        raise NotNow("rollout_live", f"{live.version} is being rolled out: halt that first")


def _manifest_in(path: Path) -> Manifest:
    """Return what a release's file says of itself; who signed it nobody asks here."""
    try:
        with zipfile.ZipFile(path) as release:
            if release.getinfo(MANIFEST).file_size > manifests.MANIFEST_BYTES_MAX:
                raise ReleaseUnfit(f"{MANIFEST} is too long")
            return manifests.decoded(release.read(MANIFEST))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, OSError, RuntimeError) as error:
        raise ReleaseUnfit(f"the file is no release: {error}") from error
