"""An upload of whatever dialect becomes an order of one copy, and orders can be looked up again.

`print` orders it to be printed when it is its turn. Without, it is kept as a held job.
"""

import json
from dataclasses import dataclass, replace

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, who
from coordinator.api.forms import order_of
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.slicers.targets import Target
from coordinator.api.uploads import Upload
from coordinator.domain.access import Permission
from coordinator.domain.jobs import ENDED, Job, JobState
from coordinator.domain.plates import Plate
from coordinator.errors import NotFound
from coordinator.ports import Unit
from coordinator.usecases import orders
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JobId

USERDATA_CHARACTERS_MAX = 4096
# So many files are listed, the newest.
LISTED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file that somebody sent: its job, its plate (None: it is a model), its userdata as text."""

    job: Job
    plate: Plate | None = None
    userdata: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.plate.name if self.plate is not None else self.job.name


async def take(
    request: web.Request, target: Target, upload: Upload, *, prints: bool, userdata: str = ""
) -> SentFile:
    """Order one copy of what was uploaded, from whom it was sent to.

    Raises:
        BadRequest: 400, the userdata is no JSON object, or too long.
        Refused, Unavailable: as `accept_order`.
    """
    fields = {
        "printer_class": target.printer_class,
        "printer_group": target.printer_group,
        "printer_id": target.printer_id or "",
    }
    order = order_of(fields, upload.file_name, *who(request))
    farm, caller = request.app[FARM], request[CALLER]
    order = replace(
        order,
        held=not prints,
        class_needed=True,
        userdata=_checked_userdata(userdata),
        owner=caller.owner,
        approved=caller.may(Permission.JOBS_MANAGE),
    )
    job = await orders.accept_order(farm, order, upload.file)
    async with farm.store.read() as unit:
        return await _file(unit, job)


def _checked_userdata(userdata: str) -> str:
    if not userdata:
        return ""
    try:
        well = isinstance(json.loads(userdata), dict) and len(userdata) <= USERDATA_CHARACTERS_MAX
    except (ValueError, RecursionError):
        well = False
    if well:
        return userdata
    raise BadRequest(
        Problem(
            status=400,
            code="bad_userdata",
            title="Bad upload",
            detail=f"userdata is a JSON object of at most {USERDATA_CHARACTERS_MAX} characters.",
        )
    )


async def file_of(farm: Farm, target: Target, name: str, job_id: JobId | None = None) -> SentFile:
    """Return a file that was sent to a target: of a job, or else the newest with that name.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        if job_id is not None:
            job = await unit.job(job_id)
            if job is not None and _was_sent_to(job, target):
                return await _file(unit, job)
            raise NotFound("file", f"{job_id}/{name}")
        for job in reversed(await _jobs(unit, target)):
            if job.name == name:
                return await _file(unit, job)
    raise NotFound("file", name)


async def files_of(farm: Farm, target: Target) -> list[SentFile]:
    """Return the files of a target whose jobs have not ended, the newest first."""
    async with farm.store.read() as unit:
        jobs = list(reversed(await _jobs(unit, target)))[:LISTED_MAX]
        return [await _file(unit, job) for job in jobs]


async def _jobs(unit: Unit, target: Target) -> list[Job]:
    open_jobs = await unit.jobs([state for state in JobState if state not in ENDED])
    return [job for job in open_jobs if job.model_sha256 is None and _was_sent_to(job, target)]


def _was_sent_to(job: Job, target: Target) -> bool:
    if target.printer_id is not None:
        return job.printer_id == target.printer_id
    if target.printer_group:
        return target.printer_group == job.printer_group
    return target.printer_class in ("", job.printer_class)


async def _file(unit: Unit, job: Job) -> SentFile:
    plates = await unit.plates(job.job_id)
    notes = [
        event.facts.get("userdata")
        for event in await unit.history("job", job.job_id)
        if event.name == "job.received"
    ]
    userdata = notes[0] if notes else None
    return SentFile(
        job=job,
        plate=plates[0] if plates and job.model_sha256 is None else None,
        userdata=userdata if isinstance(userdata, str) else "",
    )
