"""Any generator that speaks HTTP, as the configuration says: one's own GPU box, for one.

How a wish becomes a request and an answer a file stands in `options`; `presets` has whole servers
as data. Nothing that is configured or answered is ever run.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.blaming import Reply, Spoken
from coordinator.adapters.providers.http import Api
from coordinator.adapters.providers.json_pointer import text_at
from coordinator.adapters.providers.options import key_of, options_of
from coordinator.adapters.providers.own_server.filling import (
    form_of,
    headers_of,
    path_of,
    picture_to_send,
    values_of_task,
    values_of_wish,
)
from coordinator.adapters.providers.own_server.options import Call, OwnServerOptions
from coordinator.adapters.providers.own_server.presets import with_preset
from coordinator.adapters.providers.own_server.reading import Reader, spoken_in, whole_file
from coordinator.adapters.providers.own_server.signed import is_signed
from coordinator.adapters.providers.own_server.templates import fill
from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Cancels,
    Cost,
    Handle,
    Health,
    Hint,
    Look,
    Offer,
    Option,
    Phase,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.ports_providers import Told, Tools

_TASK_ID_CHARACTERS_MAX = 200
_HEALTH_S = 10.0
# A server that took a call off, or had done so before.
_GONE_ALREADY = (404, 410)
_GOES_ON = (405, 409)


class OwnServer(Bare):
    """Implements `Provider` over one configured server."""

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take its settings; see `ProviderMaker`."""
        service, given = with_preset(name, options)
        self._options = options_of(OwnServerOptions, name, given)
        key = key_of(name, self._options, needed=self._options.auth != "none")
        self._title = self._options.title or name
        shown = _credential(self._options, key)
        secrets = [*shown.values(), key]
        self._reader = Reader(title=self._title, options=self._options, secrets=secrets)
        self._clock = tools.clock
        self._api = Api(
            self._title,
            self._options,
            tools,
            headers={**self._options.headers, **shown},
            secrets=secrets,
            reads=self._spoken,
        )
        self._offer = _offer(service, self._title, self._options)

    @property
    def offer(self) -> Offer:
        """What it takes and gives."""
        return self._offer

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met."""
        return objection_of(self._offer, wish)

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return what a wish costs at most; None where nothing is charged here."""
        price = self._options.cost
        amount = price.fixed + price.per_s * Decimal(str(self._options.patience_s))
        return Cost(amount=amount, unit=price.unit, exact=not price.per_s) if amount else None

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Make a task of a wish; see the port."""
        submit = self._options.submit
        values = values_of_wish(self._options, wish, key)
        headers = headers_of(submit, values)
        body: dict[str, Any] = {}
        if submit.body_mode == "multipart":
            body["form"] = form_of(submit.body, values)
        elif picture := picture_to_send(submit, wish):
            body["data"] = picture.data
            headers.setdefault("Content-Type", picture.media_type)
        elif submit.body is not None:
            body["json"] = fill(submit.body, values)
        if submit.answers != "task":
            told(None, "generating")
        path = path_of(submit.path, values)
        reply = await self._api.call(
            submit.method,
            path,
            headers=headers,
            paid=True,
            within_s=submit.within_s,
            answer_bytes_max=self._options.answer_bytes_max,
            **body,
        )
        return self._submitted(reply, key, path)

    async def look(self, handle: Handle) -> Look:
        """Return how a task is."""
        status = self._options.status
        if status is None or self._options.submit.answers != "task":
            return _lost(f"{self._title} gave its answer once, and it was lost: generate again")
        values = values_of_task(self._options, handle)
        path = path_of(status.path, values)
        reply = await self._call(
            status, values, accepts=(404,) if status.missing == "running" else ()
        )
        if reply.status == 404:
            return Look(phase=Phase.RUNNING)
        document = reply.json()
        seen = self._reader.look(document)
        if seen.phase is not Phase.SUCCEEDED:
            return seen
        if self._options.result.call is not None:
            path = path_of(self._options.result.call.path, values)
            document = (await self._call(self._options.result.call, values)).json()
        return self._with_files(seen, document, path, values)

    async def call_off(self, handle: Handle) -> CallingOff:
        """Ask for a task to be called off; its answer may say how the task is now."""
        if self._options.cancel is None:
            return CallingOff.REFUSED
        reply = await self._call(
            self._options.cancel,
            values_of_task(self._options, handle),
            accepts=(*_GONE_ALREADY, *_GOES_ON),
        )
        if reply.status in _GOES_ON:
            return CallingOff.REFUSED
        if reply.status in _GONE_ALREADY:
            return CallingOff.UNKNOWN
        phase = self._phase_in(reply)
        goes_on = (Phase.QUEUED, Phase.RUNNING, Phase.SUCCEEDED)
        return CallingOff.REFUSED if phase in goes_on else CallingOff.DONE

    async def delete(self, handle: Handle) -> None:
        """Remove a task from the server, where it can."""
        if self._options.delete is not None:
            values = values_of_task(self._options, handle)
            await self._call(self._options.delete, values, accepts=_GONE_ALREADY)

    async def health(self) -> Health:
        """Return whether its address for that answers."""
        if self._options.health is None:
            return Health(ready=True, words="no address is configured that tells")
        try:
            await self._call(self._options.health, self._options.constants, within_s=_HEALTH_S)
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        return Health(ready=True)

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Return which task a signed message is about."""
        webhook = self._options.webhook
        signed = webhook is not None and is_signed(
            headers,
            body,
            header=webhook.header,
            secret=webhook.secret.get_secret_value(),
            now=self._clock.now(),
        )
        if webhook is None or not signed:
            words = f"{self._title}: a message without a signature that is good now"
            raise ProviderFault(Blame.AUTH_CONFIG, "bad_signature", words)
        try:
            task_id = text_at(json.loads(body), webhook.task_id)
        except (ValueError, RecursionError):
            task_id = ""
        return [Hint(task_id=task_id)] if task_id else []

    async def _call(
        self,
        call: Call,
        values: Mapping[str, Any],
        *,
        accepts: Sequence[int] = (),
        within_s: float | None = None,
    ) -> Reply:
        return await self._api.call(
            call.method,
            path_of(call.path, values),
            json=None if call.body is None else fill(call.body, values),
            headers=headers_of(call, values),
            accepts=accepts,
            within_s=within_s,
            answer_bytes_max=self._options.answer_bytes_max,
        )

    def _submitted(self, reply: Reply, key: str, path: str) -> Submitted:
        """Return what an answer to a submit amounts to."""
        submit = self._options.submit
        if submit.answers == "task":
            task_id = text_at(reply.json(), submit.task_id)
            if not 0 < len(task_id) <= _TASK_ID_CHARACTERS_MAX:
                raise reply.nonsense("it names no task")
            return Submitted(handle=Handle(task_id=task_id, extra={"key": key}))
        handle = Handle(task_id=key, extra={"key": key})
        if submit.answers == "file":
            piece = whole_file(reply, self._options.result.format)
            seen = Look(phase=Phase.SUCCEEDED, pieces=(piece,), charged=self._reader.charged(None))
            return Submitted(handle=handle, look=seen)
        document = reply.json()
        seen = Look(phase=Phase.SUCCEEDED, charged=self._reader.charged(document))
        return Submitted(handle=handle, look=self._with_files(seen, document, path, {}))

    def _with_files(self, seen: Look, document: Any, path: str, values: Mapping[str, Any]) -> Look:
        """Return a look at what succeeded, with what there is to fetch."""
        base_url = self._options.base_url
        known = self._options.result.path
        pieces = self._reader.pieces(
            document, base_url + path, base_url + path_of(known, values) if known else ""
        )
        if not any(piece.role == "mesh" for piece in pieces):
            words = f"{self._title} says that it succeeded, and tells of no model"
            fault = ProviderFault(Blame.PROTOCOL, "no_model", words)
            return replace(seen, phase=Phase.FAILED, fault=fault)
        return replace(
            seen, pieces=tuple(replace(each, own=self._api.here(each.url)) for each in pieces)
        )

    def _phase_in(self, reply: Reply) -> Phase:
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            return Phase.UNKNOWN
        return self._reader.phase(document) if self._options.status else Phase.UNKNOWN

    def _spoken(self, reply: Reply) -> Spoken:
        """Read a refusal in this server's words."""
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            document = None
        spoken = spoken_in(self._options.words, document)
        if spoken.blame is None and reply.paid:
            if reply.status in self._options.submit.failed_statuses:
                return replace(spoken, blame=Blame.PROVIDER_FAILED)
            if reply.status in self._options.submit.busy_statuses:
                return replace(spoken, blame=Blame.WAIT_SLOT)
        return spoken


def _credential(options: OwnServerOptions, key: str) -> dict[str, str]:
    """Return the header that shows the key."""
    if options.auth == "bearer":
        return {"Authorization": f"Bearer {key}"}
    if options.auth == "header":
        return {options.auth_header: key}
    if options.auth == "basic":
        pair = base64.b64encode(f"{options.username}:{key}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}


def _offer(service: str, title: str, options: OwnServerOptions) -> Offer:
    costs = bool(options.cost.fixed or options.cost.per_s)
    return Offer(
        service=service,
        title=title,
        kinds=options.kinds,
        prompt_chars_max=options.prompt_chars_max,
        pictures_max=options.pictures_max,
        picture_bytes_max=options.picture_bytes_max,
        options=tuple(
            Option(name=name, type=each.type, words=each.words, choices=each.choices)
            for name, each in options.options.items()
        ),
        needs_size=options.needs_size,
        again=options.again or (Again.NEVER if costs else Again.COSTS_ONLY),
        cancels=options.cancels if options.cancel is not None else Cancels.NEVER,
        look_every_s=options.look_every_s,
        patience_s=options.patience_s,
    )


def _lost(words: str) -> Look:
    """Return the look at a task of which nothing is left; it may be made again."""
    fault = ProviderFault(Blame.PROVIDER_FAILED, "task_lost", words)
    return Look(phase=Phase.FAILED, fault=fault)
