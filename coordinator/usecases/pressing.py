"""What Home Assistant asks: buttons, numbers, switches and selects of printers, by the table."""

from coordinator.domain.homeassistant.verbs import ACTOR, UPDATE, VERBS, line_of, verbs_of
from coordinator.errors import NotFound, NotNow, NotPermitted, Refused
from coordinator.usecases import controlling, photographing
from coordinator.usecases.commanding import command_printer
from coordinator.usecases.farm import Farm
from coordinator.usecases.fleet import change_printer
from coordinator.usecases.reading import PrinterView, printer_view
from coordinator.usecases.update_views import is_newer, updates_seen
from coordinator.usecases.updating import RolloutWish, begin_rollout
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import AgentId, JobId, PrinterId

# A heater or a fan is set at once, or not at all: who pressed does not wait longer.
_SAID_WITHIN_S = 20.0
_MATERIAL_CHARACTERS_MAX = 64


async def press(
    farm: Farm, printer_id: PrinterId, verb: str, payload: str, armed: frozenset[str]
) -> None:
    """Do one thing, as `homeassistant` in the history.

    Args:
        armed: what the settings arm.
        payload: a number, `ON` or `OFF`, or a material; of a button it does not matter.

    Raises:
        NotFound: there is no such printer, or no such verb.
        NotPermitted: `not_armed`: the settings do not name it.
        NotNow, Refused, Unavailable: as the use cases behind it.
    """
    if verb not in VERBS:
        raise NotFound("verb", verb)
    needed = VERBS[verb].armed
    if needed and needed not in armed:
        raise NotPermitted("not_armed", f"{verb} wants {needed} in homeassistant_armed")
    view = await printer_view(farm, printer_id)
    can = verbs_of(can_pause=view.printer.can_pause, commands=view.commands, armed=armed)
    if verb not in can:
        raise NotNow("not_possible", f"{printer_id} can't {verb}")
    origin = f"{verb} of {printer_id} over MQTT"
    match verb:
        case "pause" | "resume" | "cancel":
            await _steer(farm, verb, _job_of(view), origin)
        case "clear":
            await controlling.clear_printer(farm, printer_id, ACTOR, origin)
        case "service":
            await controlling.set_service(farm, printer_id, _is_on(payload), ACTOR, origin)
        case "material":
            if len(payload) > _MATERIAL_CHARACTERS_MAX:
                raise Refused("material_too_long", "that is no material")
            await change_printer(farm, printer_id, {"material": payload}, ACTOR, origin)
        case "picture":
            await photographing.look(farm, printer_id, 0.0)
        case "emergency_stop":
            await command_printer(farm, printer_id, verb, {}, ACTOR)
        case _:
            await _say(farm, printer_id, verb, payload)


async def press_agent(farm: Farm, agent_id: AgentId, verb: str, armed: frozenset[str]) -> None:
    """Do one thing with an agent: bring it the newest release, as its own canary.

    It is as any rollout: drained first, on trial, gone back from by itself; and one at a time.

    Raises:
        NotFound: there is no such verb, or no such agent.
        NotPermitted: `not_armed`.
        NotNow: `up_to_date`, or as `begin_rollout`.
    """
    if verb != UPDATE:
        raise NotFound("verb", verb)
    if UPDATE not in armed:
        raise NotPermitted("not_armed", f"{verb} wants {UPDATE} in homeassistant_armed")
    agents, update = await updates_seen(farm)
    agent = next((each for each in agents if each.agent_id == agent_id), None)
    if agent is None:
        raise NotFound("agent", agent_id)
    latest = update[agent_id].latest
    if not latest or not is_newer(latest, agent.build):
        raise NotNow("up_to_date", f"the farm has no release that is newer than {agent.build}")
    wish = RolloutWish(version=latest, agents=(agent_id,))
    await begin_rollout(farm, wish, ACTOR, f"{verb} of {agent_id} over MQTT")


async def _say(farm: Farm, printer_id: PrinterId, verb: str, payload: str) -> None:
    try:
        line = line_of(verb, payload)
    except ValueError as error:
        raise Refused("out_of_range", str(error)) from error
    said: dict[str, Scalar] = {"line": line, "within_s": _SAID_WITHIN_S}
    await command_printer(farm, printer_id, "send", said, ACTOR)


async def _steer(farm: Farm, verb: str, job_id: JobId, origin: str) -> None:
    steer = {
        "pause": controlling.pause_job,
        "resume": controlling.resume_job,
        "cancel": controlling.cancel_job,
    }
    await steer[verb](farm, job_id, ACTOR, origin)


def _job_of(view: PrinterView) -> JobId:
    if view.job is None:
        raise NotNow("no_job", f"{view.printer.printer_id} works for no job")
    return view.job.job_id


def _is_on(payload: str) -> bool:
    if payload not in ("ON", "OFF"):
        raise Refused("out_of_range", f"ON or OFF, not {payload[:40]!r}")
    return payload == "ON"
