"""What programs beside the farm ask over MQTT, each with a key: the rights are the key's."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from coordinator.domain.access import Caller, Permission
from coordinator.domain.file_names import file_name_of, suffix_of
from coordinator.domain.history import Plain
from coordinator.domain.receipts import KEPT, Receipt
from coordinator.errors import NotFound, NotPermitted, Refused, Unavailable
from coordinator.ports import StagedFile
from coordinator.ports_outward import Question
from coordinator.usecases import controlling, orders, reading
from coordinator.usecases.admitting import caller_of_token
from coordinator.usecases.commanding import command_printer
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.orders import Order
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import JobId, PrinterId

FETCH_S_MAX = 600.0
_REDIRECTS_MAX = 5
Result = dict[str, Plain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """An order, by where its file is: one of the three.

    Attributes:
        order: without who orders.
        url: of a file beyond the farm, as far as `outbound_networks` reaches.
        sha256: of an artifact of the farm.
        Else `order.model_id` names a model of it.
    """

    order: Order
    url: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfJob:
    """One thing to do with a job, or to look at it."""

    verb: str
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPrinter:
    """One thing to do with a printer."""

    verb: str
    printer_id: PrinterId
    in_service: bool = False
    command: str = ""
    arguments: Mapping[str, Scalar]


Asked = Submit | OfJob | OfPrinter

_OF_JOB = {
    "pause_job": controlling.pause_job,
    "resume_job": controlling.resume_job,
    "cancel_job": controlling.cancel_job,
}


async def answer(gate: Gate, key: str, request_id: str, asked: Asked, limit_bytes: int) -> Result:
    """Do what was asked, as whose key it is; return what came of it.

    Args:
        request_id: the sender's; whoever orders twice with the same one gets one job.
        limit_bytes: longest file that is fetched.

    Raises:
        NotPermitted: `unauthorized`: the key is none; `not_permitted`: it may not do this.
        FarmError: as the use cases behind it.
    """
    caller = await caller_of_token(gate, key)
    if caller is None:
        raise NotPermitted("unauthorized", "there is no such key")
    origin = f"request {request_id} over MQTT"
    match asked:
        case Submit():
            _require(caller, Permission.JOBS_SUBMIT)
            return await _submit(gate.farm, caller, request_id, asked, limit_bytes)
        case OfJob(verb="job"):
            _require(caller, Permission.FARM_READ)
            return await _job(gate.farm, asked.job_id)
        case OfJob(verb="approve_job"):
            _require(caller, Permission.JOBS_MANAGE)
            await controlling.approve_job(gate.farm, asked.job_id, caller.actor, origin)
            return await _job(gate.farm, asked.job_id)
        case OfJob():
            _require(caller, Permission.JOBS_SUBMIT)
            steer, mine = _OF_JOB[asked.verb], caller.steers_only
            await steer(gate.farm, asked.job_id, caller.actor, origin, only_of=mine)
            return await _job(gate.farm, asked.job_id)
        case OfPrinter():
            return await _of_printer(gate.farm, caller, origin, asked)


async def _of_printer(farm: Farm, caller: Caller, origin: str, asked: OfPrinter) -> Result:
    printer_id = asked.printer_id
    match asked.verb:
        case "clear":
            _require(caller, Permission.PRINTERS_OPERATE)
            await controlling.clear_printer(farm, printer_id, caller.actor, origin)
        case "service":
            _require(caller, Permission.PRINTERS_MANAGE)
            await controlling.set_service(farm, printer_id, asked.in_service, caller.actor, origin)
        case _:
            _require(caller, Permission.PRINTERS_OPERATE)
            words = await command_printer(
                farm, printer_id, asked.command, asked.arguments, caller.actor
            )
            return {"printer_id": printer_id, "words": words}
    view = await reading.printer_view(farm, printer_id)
    return {"printer_id": printer_id, "status": view.status.value}


async def _job(farm: Farm, job_id: JobId) -> Result:
    view = await reading.job_view(farm, job_id)
    return {
        "job_id": view.job.job_id,
        "name": view.job.name,
        "state": view.job.state.value,
        "held": view.job.held,
        "reason": view.job.reason,
        "copies": view.job.copies,
        "copies_finished": view.copies_finished,
        "copies_live": view.copies_live,
        "printers": list[Plain](sorted({run.printer_id for run in view.runs if run.live})),
        "waits": [each.words for each in view.waits],
    }


def _require(caller: Caller, needs: Permission) -> None:
    if not caller.may(needs):
        raise NotPermitted("not_permitted", f"this key lacks the permission {needs.value}")


async def _submit(
    farm: Farm, caller: Caller, request_id: str, asked: Submit, limit_bytes: int
) -> Result:
    if asked.order.priority > 0 and not caller.may(Permission.JOBS_MANAGE):
        raise NotPermitted(
            "priority_not_permitted", "only an operator puts a job before those of others"
        )
    job_id = await _claimed(farm, caller, request_id, asked)
    async with farm.store.read() as unit:
        before = await unit.job(job_id)
    if before is None:
        order = replace(
            asked.order,
            job_id=job_id,
            actor=caller.actor,
            origin=f"request {request_id} over MQTT",
            owner=caller.owner,
            approved=caller.may(Permission.JOBS_MANAGE),
        )
        await _ordered(farm, order, asked, limit_bytes)
    return await _job(farm, job_id)


async def _claimed(farm: Farm, caller: Caller, request_id: str, asked: Submit) -> JobId:
    """Return what the job of this request is called, the same whenever the request comes.

    Raises:
        Refused: `request_id_reused`: it came with another order.
    """
    key, now = f"{caller.actor} mqtt {request_id}", farm.clock.now()
    print_of = hashlib.sha256(repr(asked).encode()).hexdigest()
    async with farm.store.write() as unit:
        await unit.drop_receipts(now - KEPT)
        receipt = await unit.receipt(key)
        if receipt is None:
            job_id = farm.ids.new("job")
            receipt = Receipt(key=key, at=now, fingerprint=print_of, subject_id=job_id)
            await unit.save_receipt(receipt)
    if receipt.fingerprint != print_of:
        raise Refused("request_id_reused", "this id came with another order: use a new one")
    return JobId(receipt.subject_id)


async def _ordered(farm: Farm, order: Order, asked: Submit, limit_bytes: int) -> None:
    if not asked.url and not asked.sha256:
        await orders.order_version(farm, order, order.model_id, order.model_version or None)
        return
    found = _fetched(farm, asked.url, limit_bytes) if asked.url else _stored(farm, asked.sha256)
    async with found as (staged, its_name):
        name = order.file_name or its_name
        named = replace(order, file_name=name, name=order.name or name)
        await orders.accept_order(farm, named, staged)


@asynccontextmanager
async def _stored(farm: Farm, sha256: str) -> AsyncIterator[tuple[StagedFile, str]]:
    """Lend a copy of an artifact that the farm has, with its name."""
    async with farm.store.read() as unit:
        artifact = await unit.artifact(sha256)
    if artifact is None:
        raise NotFound("artifact", sha256)
    async with farm.artifacts.stage(suffix_of(artifact.name)) as staged:
        async for chunk in farm.artifacts.read(sha256, start=0, stop=artifact.size_bytes):
            await staged.write(chunk)
        yield staged, artifact.name


@asynccontextmanager
async def _fetched(farm: Farm, url: str, limit_bytes: int) -> AsyncIterator[tuple[StagedFile, str]]:
    """Lend what lies at an address, with the name that the address ends with."""
    name = file_name_of(unquote(urlsplit(url).path))
    async with farm.artifacts.stage(suffix_of(name)) as staged:
        question = Question(
            method="GET",
            url=url,
            within_s=FETCH_S_MAX,
            answer_bytes_max=limit_bytes,
            redirects_max=_REDIRECTS_MAX,
        )
        found = await farm.outside.fetch(question, staged.write)
        if found.status != 200:
            raise Unavailable("fetch_failed", f"the address answered {found.status}")
        if not found.whole:
            raise Refused("file_too_large", f"it is longer than {limit_bytes} bytes")
        yield staged, name
