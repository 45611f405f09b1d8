"""Requests with an `Idempotency-Key` are carried out once, however often they are sent.

Theory. A receipt with the id of what will be made is stored before anything is done. So whoever
crashed in the midst of it, or lost the answer, finds out by that id whether it was made; a second
try makes it under the same id, or tells of it. What was refused made nothing: the key is free for
the request as it should have been.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from coordinator.api.asking import FARM, actor_of
from coordinator.api.problems import BadRequest, Problem
from coordinator.domain.receipts import KEPT, Receipt
from coordinator.usecases.farm import Farm

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
KEY_CHARACTERS_MAX = 255

# What is being answered now: the keys of receipts.
_IN_FLIGHT = web.AppKey("in_flight", set[str])

# What is answered again; all others are made anew for each answer.
_KEPT_HEADERS = ("ETag", "Location", "Content-Type")

Made = Callable[[str], Awaitable[web.Response | None]]
Make = Callable[[str], Awaitable[web.Response]]


def prepare(app: web.Application) -> None:
    """Have an application know what it is answering."""
    app[_IN_FLIGHT] = set()


async def fingerprint_of_body(request: web.Request) -> str:
    """Return a hash of a body that is no upload."""
    return hashlib.sha256(await request.read()).hexdigest()


async def once(
    request: web.Request, fingerprint: str, subject_id: str, made: Made, make: Make
) -> web.Response:
    """Return the answer to a request that makes something, made at most once for each key.

    Args:
        fingerprint: a hash of all that is asked for.
        subject_id: a fresh id for what is to be made.
        made: returns the answer about what has this id, None where nothing has.
        make: makes it under this id, and answers.

    Raises:
        BadRequest: 400 a key that is none, 409 it is in flight, 422 it came with another request.
    """
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return await make(subject_id)
    if not (0 < len(given) <= KEY_CHARACTERS_MAX and given.isascii() and given.isprintable()):
        raise _refused(400, "idempotency_key_invalid", "1 to 255 printable ASCII characters")
    key = f"{actor_of(request)} {request.method} {request.path} {given}"
    in_flight = request.app[_IN_FLIGHT]
    if key in in_flight:
        raise _refused(409, "in_flight", "the same request is being answered now: ask again")
    in_flight.add(key)
    try:
        return await _answered(request.app[FARM], key, fingerprint, subject_id, made, make)
    finally:
        in_flight.discard(key)


async def _answered(
    farm: Farm, key: str, fingerprint: str, subject_id: str, made: Made, make: Make
) -> web.Response:
    receipt = await _receipt(farm, key, fingerprint, subject_id)
    if receipt.answer and receipt.fingerprint == fingerprint:
        return _again(receipt.answer)
    before = await made(receipt.subject_id)
    if receipt.fingerprint != fingerprint:
        if receipt.answer or before is not None:
            raise _refused(422, "idempotency_key_reused", "this key came with another request")
        receipt = replace(receipt, fingerprint=fingerprint)
        await _save(farm, receipt)
    if before is not None:
        before.headers[REPLAYED_HEADER] = "true"
        return before
    response = await make(receipt.subject_id)
    await _save(farm, replace(receipt, answer=_kept(response)))
    return response


async def _receipt(farm: Farm, key: str, fingerprint: str, subject_id: str) -> Receipt:
    """Return the key's receipt; a new one where there is none, or none any more."""
    now = farm.clock.now()
    async with farm.store.write() as unit:
        await unit.drop_receipts(now - KEPT)
        receipt = await unit.receipt(key)
        if receipt is None:
            receipt = Receipt(key=key, at=now, fingerprint=fingerprint, subject_id=subject_id)
            await unit.save_receipt(receipt)
    return receipt


async def _save(farm: Farm, receipt: Receipt) -> None:
    async with farm.store.write() as unit:
        await unit.save_receipt(receipt)


def _kept(response: web.Response) -> str:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return json.dumps({"status": response.status, "headers": headers, "body": response.text})


def _again(answer: str) -> web.Response:
    kept = json.loads(answer)
    headers = {**kept["headers"], REPLAYED_HEADER: "true"}
    return web.Response(status=kept["status"], headers=headers, body=kept["body"].encode())


def _refused(status: int, code: str, detail: str) -> BadRequest:
    return BadRequest(
        Problem(status=status, code=code, title="Idempotency-Key", detail=f"{KEY_HEADER}: {detail}")
    )
