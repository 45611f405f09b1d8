"""What an answer of a provider means where it is not what was asked for: pure.

Everything that leaves here is fit to be shown: no key, no picture, no signed address.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from coordinator.domain.providing import Blame, ProviderFault

_WORDS_MAX = 300
_REQUEST_IDS = ("x-request-id", "request-id", "x-fal-request-id", "x-tripo-trace-id", "cf-ray")
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+[;,][^\s\"'<>]*")
_QUERY = re.compile(r"(https?://[^\s\"'<>?#]+)[?#][^\s\"'<>]*")
# Longer waits are told as they are; who calls decides what it does with them.
_AFTER_S_MAX = 7 * 24 * 3600.0

_ADVICE = {
    Blame.QUOTA: "no credit is left there",
    Blame.AUTH_CONFIG: "check its api_key, base_url and models in the settings",
    Blame.SUBMIT_UNSURE: "whether it was taken is not known",
    Blame.EXPIRED: "it is no longer there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer.

    Attributes:
        headers: names in lower case.
        paid: it answers a call that is paid for, so what makes no sense leaves that open.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    paid: bool = False

    def json(self) -> Any:
        """Return what the body says.

        Raises:
            ProviderFault: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise self.nonsense("it is no JSON") from error

    def document(self) -> dict[str, Any]:
        """Return the JSON object that the body is.

        Raises:
            ProviderFault: it is none.
        """
        found = self.json()
        if not isinstance(found, dict):
            raise self.nonsense("it is no JSON object")
        return found

    def text_at(self, *keys: str) -> str:
        """Return the text in the body's object under these keys, one in the other.

        Raises:
            ProviderFault: there is none.
        """
        found: Any = self.document()
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, str) or not found:
            raise self.nonsense(f"it has no {'.'.join(keys)}")
        return found

    def nonsense(self, words: str) -> ProviderFault:
        """Return the fault of an answer that makes no sense; of a paid call it may have worked."""
        blame = Blame.SUBMIT_UNSURE if self.paid else Blame.PROTOCOL
        message = f"its answer makes no sense: {words}"
        if self.paid:
            message += f"; {_ADVICE[blame]}"
        return ProviderFault(blame, "bad_answer", message, request_id=request_id_of(self.headers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a provider's answer says of a fault, in its own way.

    Attributes:
        blame: None where the status alone tells it.
        code: empty for `http_STATUS`.
        after_s: None for what the headers tell.
    """

    blame: Blame | None = None
    code: str = ""
    message: str = ""
    field: str = ""
    after_s: float | None = None


# How a provider's answers are read; it gets every one whose status is no success.
Reads = Callable[[Reply], Spoken]


def read_plainly(reply: Reply) -> Spoken:
    """Read the ways in which most servers say what is wrong."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Spoken()
    if not isinstance(found, dict):
        return Spoken()
    inner = found.get("error")
    if isinstance(inner, dict):
        found = inner
    said = (found.get(key) for key in ("message", "detail", "error", "msg", "title"))
    code = found.get("code")
    return Spoken(
        code=code if isinstance(code, str) else "",
        message=next((each for each in said if isinstance(each, str) and each), ""),
    )


def blame_of(status: int, *, paid: bool) -> Blame:
    """Return what has to be done about a status.

    A refusal (4xx) of a paid call says that nothing was made. A server's own failure does not.
    """
    if status >= 500:
        return Blame.SUBMIT_UNSURE if paid else Blame.RETRY_SAFE
    if status == 429:
        return Blame.WAIT_SLOT
    if status in (408, 425):
        return Blame.RETRY_SAFE
    if status == 402:
        return Blame.QUOTA
    if status in (401, 403, 407) or 300 <= status < 400:
        return Blame.AUTH_CONFIG
    if status in (404, 410):
        return Blame.AUTH_CONFIG if paid else Blame.EXPIRED
    if 400 <= status < 500:
        return Blame.INVALID_INPUT
    return Blame.SUBMIT_UNSURE if paid else Blame.PROTOCOL


def fault_of(
    title: str, reply: Reply, spoken: Spoken, *, now: datetime, secrets: Sequence[str] = ()
) -> ProviderFault:
    """Return the fault that an answer tells of.

    Args:
        title: of the provider, for people.
        secrets: what must not be shown, wherever it stands.
    """
    blame = spoken.blame or blame_of(reply.status, paid=reply.paid)
    words = clean(spoken.message, secrets)
    message = f"{title} answered {reply.status}" + (f": {words}" if words else "")
    if advice := _ADVICE.get(blame):
        message += f" ({advice})"
    after_s = spoken.after_s if spoken.after_s is not None else after_of(reply.headers, now)
    return ProviderFault(
        blame,
        clean(spoken.code, secrets)[:80] or f"http_{reply.status}",
        message,
        after_s=after_s,
        request_id=request_id_of(reply.headers),
        field=spoken.field,
    )


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """Return words of a stranger, fit to be shown and logged."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    # Cut before the patterns are looked for: a picture in a data URI has megabytes.
    text = _DATA_URI.sub("data:...", text[: 20 * _WORDS_MAX])
    text = _QUERY.sub(r"\1?...", text)
    # Neither colours of a terminal nor signs that turn its lines around.
    text = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return text if len(text) <= _WORDS_MAX else text[: _WORDS_MAX - 3] + "..."


def number_of(value: Any) -> Decimal | None:
    """Return the finite number that a value of an answer is, also one in a text; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def after_of(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return in how many seconds it may be tried again, as the headers tell (RFC 9110, 10.2.3).

    `X-RateLimit-Reset` counts where there is no `Retry-After`: seconds, or a time in them.
    """
    told = headers.get("retry-after", "").strip()
    if told:
        if re.fullmatch(r"\d{1,9}(\.\d+)?", told):
            return min(float(told), _AFTER_S_MAX)
        try:
            then = parsedate_to_datetime(told)
        except ValueError:
            return None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return min(max((then - now).total_seconds(), 0.0), _AFTER_S_MAX)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d+)?", reset) and headers.get("x-ratelimit-remaining") == "0":
        seconds = float(reset)
        if seconds > 1e9:
            seconds -= now.timestamp()
        return min(max(seconds, 0.0), _AFTER_S_MAX)
    return None


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return what the provider calls this call, for its support; empty where it tells nothing."""
    return next((clean(headers[name])[:100] for name in _REQUEST_IDS if headers.get(name)), "")
