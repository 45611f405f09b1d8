"""What agents could be updated to, and how that goes, as programs beside the farm are told it."""

from dataclasses import replace

from coordinator.domain.automation.documents import UpdateSeen
from coordinator.domain.printers import Agent
from coordinator.domain.updates import UpdateState
from coordinator.usecases.farm import Farm
from protocols.release.manifest import order_of
from protocols.wire.vocabulary import AgentId


async def updates_seen(farm: Farm) -> tuple[list[Agent], dict[AgentId, UpdateSeen]]:
    """Return all agents, and what each could be updated to, by the newest release there is."""
    async with farm.store.read() as unit:
        agents = await unit.agents()
        known = await unit.releases()
        last = await unit.rollouts(1)
    newest = max(known, key=lambda each: order_of(each.version), default=None)
    seen = UpdateSeen() if newest is None else UpdateSeen(latest=newest.version, words=newest.words)
    in_rollout = {each.agent_id: each for each in last[0].agents} if last else {}
    found = dict.fromkeys((agent.agent_id for agent in agents), seen)
    for agent_id in in_rollout.keys() & found.keys():
        its = in_rollout[agent_id]
        going = its.state in (UpdateState.DRAINING, UpdateState.UPDATING)
        said = f"{last[0].version}: {its.state.value.replace('_', ' ')}"
        words = f"{said}: {its.words}" if its.words else said
        found[agent_id] = replace(seen, going=going, said=words)
    return agents, found


def is_newer(version: str, build: str) -> bool:
    """Whether a release is newer than what runs; than what is no release, it is."""
    return order_of(version) > order_of(build)
