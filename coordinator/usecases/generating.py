"""What people do with generations: ask for one, go on talking, cancel, approve, reject, settle."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from coordinator.domain import generating, results
from coordinator.domain.generating import Outcome
from coordinator.domain.generations import (
    Asked,
    Generation,
    GenerationEvent,
    GenerationState,
    Printing,
    Setting,
    Sheet,
    Trouble,
    advance,
)
from coordinator.domain.providing import Blame, Handle, Kind, ProviderFault
from coordinator.errors import IllegalTransition, NotFound, NotNow, NotPermitted, Refused
from coordinator.ports import Unit
from coordinator.usecases import generation_rows as rows
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, writing
from coordinator.usecases.sources import Source
from coordinator.usecases.tracing import traced
from coordinator.usecases.wishing import fingerprint_of, wish_of

_S, _E = GenerationState, GenerationEvent
# Of one owner; who wants more waits for some to end.
OPEN_MAX = 200
_REUSED = "was used again"


class Settlement(StrEnum):
    """What a person says of a paid call whose answer was lost."""

    HAPPENED = "happened"  # there is a task, and this is its id
    NEVER = "never"  # there is none: it may be asked for again
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request: what is asked of which provider, by whom.

    Attributes:
        approved: who asks may also approve; else the farm's policy says whether it has to wait.
        generation_id: what it is to be called; a fresh id where it is empty.
        only_of: whose the model must be that it adds to; None for anybody's.
    """

    provider: str
    asked: Asked
    actor: str
    origin: str = ""
    owner: str = ""
    approved: bool = False
    generation_id: str = ""
    only_of: str | None = None


@traced
async def want(farm: Farm, wanted: Wanted) -> Generation:
    """Take a request: it is a row, and nothing is paid yet.

    Raises:
        NotFound: there is no such provider, model or project.
        NotPermitted: the model is somebody else's.
        Refused: it can't be met, as far as that is known without asking.
    """
    source = source_of(farm, wanted.provider, wanted.asked.kind)
    await check(farm, source, wanted)
    now = farm.clock.now()
    generation = Generation(
        generation_id=wanted.generation_id or farm.ids.new("gen"),
        provider=source.name,
        service=source.offer.service,
        owner=wanted.owner or wanted.actor,
        approved=wanted.approved or not farm.policy.approve_generations,
        asked=wanted.asked,
        fingerprint=fingerprint_of(source, wanted.asked),
        next_at=now,
        created_at=now,
        updated_at=now,
    )
    async with writing(farm, wanted.actor, wanted.origin) as transaction:
        unit = transaction.unit
        await _check_room(unit, generation.owner)
        await _check_model(unit, wanted)
        generation = await _reusing(unit, generation, now)
        generation = await rows.put(transaction, None, Outcome(generation=generation))
    rows.told(farm, generation)
    return generation


def source_of(farm: Farm, name: str, kind: Kind) -> Source:
    """Return the provider of this name; of none said, the only one that takes this kind.

    Raises:
        NotFound: there is none of this name.
        Refused: none was said, and there are several, or none at all.
    """
    every = list(farm.sources)
    taking = [each for each in every if kind in each.offer.kinds] or every
    if not name and len(taking) == 1:
        return taking[0]
    if not name:
        known = ", ".join(each.name for each in taking) or "none: see [providers] in the settings"
        raise Refused("provider_needed", f"say which provider: there is {known}")
    return farm.sources.the(name)


async def check(farm: Farm, source: Source, wanted: Wanted) -> None:
    """Raise `Refused` where a request can't be met, as far as that is known without asking."""
    asked, offer = wanted.asked, source.offer
    if asked.kind not in offer.kinds:
        known = ", ".join(sorted(each.value for each in offer.kinds))
        words = f"{offer.title} takes {known}, not {asked.kind.value}"
        raise Refused("wish_not_met", words)
    sized = asked.size_mm is not None or asked.continues or asked.kind is Kind.MESH
    if offer.needs_size and not sized:
        words = f"what {offer.title} makes has no size of its own: say how long it shall be"
        raise Refused("size_needed", words)
    try:
        wish = await wish_of(farm, asked)
    except NotFound as error:
        raise Refused("input_gone", str(error)) from error
    if words := source.provider.objection(wish):
        raise Refused("wish_not_met", words)
    printing = asked.printing
    if printing is not None and not 1 <= printing.copies <= farm.policy.copies_max:
        raise Refused("copies_out_of_range", f"copies must be 1 to {farm.policy.copies_max}")


async def _check_room(unit: Unit, owner: str) -> None:
    if await unit.generations_open(owner) >= OPEN_MAX:
        words = f"{OPEN_MAX} of your generations are open: wait for some to end, or cancel them"
        raise Refused("too_many_generations", words)


async def _check_model(unit: Unit, wanted: Wanted) -> None:
    asked = wanted.asked
    if asked.model_id:
        model = await unit.model(asked.model_id)
        if model is None:
            raise NotFound("model", asked.model_id)
        if wanted.only_of is not None and model.owner != wanted.only_of:
            raise NotPermitted("not_your_model", "this model is not yours: ask an operator")
    if asked.project_id and await unit.project(asked.project_id) is None:
        raise NotFound("project", asked.project_id)


async def _reusing(unit: Unit, generation: Generation, now: datetime) -> Generation:
    """Return the generation with what the same request brought before, where that will do."""
    if not generation.asked.reuse:
        return generation
    like = await unit.generation_like(generation.fingerprint)
    if like is None:
        return generation
    remark = f"the result of {like.generation_id} {_REUSED}"
    # Where that one was itself used again, the newest says enough.
    remarks = [each for each in like.remarks if not each.endswith(_REUSED)]
    had = replace(
        generation,
        versions=like.versions,
        said=like.said,
        told=like.told,
        remarks=(*remarks, remark),
    )
    return results.made(had, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said next in a conversation; as in `Asked`."""

    prompt: str
    pictures: tuple[Sheet, ...] = ()
    parameters: Mapping[str, Setting] = field(default_factory=dict)
    printing: Printing | None = None


@traced
async def say(farm: Farm, generation_id: str, message: Message, wanted: Wanted) -> Generation:
    """Go on with a conversation: a further generation, whose versions are of the same model.

    Args:
        wanted: by whom; its provider and what it asks are the conversation's.

    Raises:
        NotFound: there is none.
        NotNow: what was asked before has not ended.
        Refused: its provider does not converse, or as `want`.
    """
    async with farm.store.read() as unit:
        before = await rows.the_generation(unit, generation_id)
    check_owns(before, wanted.only_of)
    source = farm.sources.the(before.provider)
    if not source.offer.converses:
        raise Refused("no_conversation", f"{source.offer.title} does not change what it made")
    if before.state is not _S.DONE or not before.versions:
        raise NotNow("generation_open", "what was asked before has brought nothing yet")
    asked = replace(
        before.asked,
        kind=Kind.TEXT,
        prompt=message.prompt,
        pictures=message.pictures,
        continues=generation_id,
        code="",
        parameters={**_values_of(before), **message.parameters},
        model_id=before.versions[0][0],
        printing=message.printing,
        reuse=False,
    )
    return await want(farm, replace(wanted, provider=before.provider, asked=asked))


def _values_of(before: Generation) -> Mapping[str, Setting]:
    """Return the values that its code was given; what writes code writes them into it."""
    return before.asked.parameters if before.asked.kind is Kind.CODE else {}


async def cancel(
    farm: Farm, generation_id: str, actor: str, origin: str = "", *, only_of: str | None = None
) -> Generation:
    """Have a generation end: at once, or as soon as its provider was told.

    Raises:
        NotFound: there is none.
        NotPermitted: it is somebody else's.
        NotNow: it has ended.
    """

    def decide(known: Generation, now: datetime) -> Outcome:
        check_owns(known, only_of)
        if known.ended or known.state is _S.ORDERING:
            raise NotNow("generation_ended", f"the generation is {known.state.value}")
        if known.state in (_S.SUBMITTING, _S.RUNNING):
            wanted = replace(known, cancel_wanted=True, waits="it is being cancelled")
            soon = now if known.state is _S.RUNNING else known.next_at
            return Outcome(generation=replace(wanted, next_at=soon))
        return Outcome(generation=advance(known, _E.CANCEL, now))

    return await rows.change(farm, generation_id, decide, actor=actor, origin=origin)


@traced
async def approve(farm: Farm, generation_id: str, actor: str, origin: str = "") -> Generation:
    """Approve what was made.

    Raises:
        NotFound: there is none.
        NotNow: it does not wait for that.
    """

    def decide(known: Generation, now: datetime) -> Outcome:
        _require_waiting(known)
        return Outcome(generation=results.approved(known, now))

    return await rows.change(farm, generation_id, decide, actor=actor, origin=origin)


async def reject(
    farm: Farm, generation_id: str, actor: str, origin: str = "", *, reason: str = ""
) -> Generation:
    """Reject what was made: no job comes of it. The model's version stays, for who wants to see.

    Raises:
        NotFound: there is none.
        NotNow: it does not wait for approval.
    """

    def decide(known: Generation, now: datetime) -> Outcome:
        _require_waiting(known)
        words = reason or "it was not approved"
        trouble = Trouble(blame=Blame.INVALID_INPUT, code="rejected", message=words)
        return Outcome(generation=advance(replace(known, trouble=trouble), _E.CANCEL, now))

    return await rows.change(farm, generation_id, decide, actor=actor, origin=origin)


def _require_waiting(known: Generation) -> None:
    if known.state is not _S.AWAITING_APPROVAL:
        words = f"the generation is {known.state.value}: it does not wait for approval"
        raise NotNow("generation_not_waiting", words)


async def settle(
    farm: Farm,
    generation_id: str,
    settlement: Settlement,
    actor: str,
    origin: str = "",
    *,
    task_id: str = "",
) -> Generation:
    """Say what became of a paid call whose answer was lost.

    Args:
        task_id: where it happened, which task it is.

    Raises:
        NotFound: there is none.
        NotNow: nobody doubts what became of it.
        Refused: no task was said, or it is another generation's.
    """
    if (settlement is Settlement.HAPPENED) != bool(task_id):
        raise Refused("task_id_needed", "the task's id goes with 'happened', and only with that")
    async with writing(farm, actor, origin) as transaction:
        known = await rows.the_generation(transaction.unit, generation_id)
        if known.state is not _S.UNSURE:
            words = f"the generation is {known.state.value}: nobody doubts what became of it"
            raise NotNow("generation_not_unsure", words)
        outcome = await _settled(transaction, known, settlement, task_id)
        changed = await rows.put(transaction, known, outcome)
    rows.told(farm, changed)
    return changed


async def _settled(
    transaction: Writing, known: Generation, settlement: Settlement, task_id: str
) -> Outcome:
    now = transaction.now
    if settlement is Settlement.NEVER:
        return generating.denied(known, now)
    if settlement is Settlement.GIVE_UP:
        fault = ProviderFault(
            Blame.SUBMIT_UNSURE, "given_up", "nobody knows what became of the call: given up"
        )
        return Outcome(generation=results.failed(known, fault, now))
    other = await transaction.unit.generation_of_task(known.provider, task_id)
    if other is not None:
        raise Refused("task_taken", f"this task belongs to {other.generation_id}")
    return Outcome(generation=generating.started(known, Handle(task_id=task_id), 0.0, now))


async def hinted(farm: Farm, source: Source, task_ids: Collection[str]) -> None:
    """A webhook said that something changed: what it was is looked at, now."""
    for task_id in task_ids:
        async with farm.store.read() as unit:
            found = await unit.generation_of_task(source.name, task_id)
        if found is None or found.state is not _S.RUNNING:
            continue

        def decide(known: Generation, now: datetime) -> Outcome:
            if known.state is not _S.RUNNING:
                raise IllegalTransition("generation", known.state, "look")
            return Outcome(generation=replace(known, next_at=now))

        await rows.change_if_possible(farm, found.generation_id, decide)


def check_owns(known: Generation, only_of: str | None) -> None:
    """Raise `NotPermitted` where a generation is somebody else's than it must be."""
    if only_of is not None and known.owner != only_of:
        raise NotPermitted("not_your_generation", "this generation is not yours: ask an operator")
