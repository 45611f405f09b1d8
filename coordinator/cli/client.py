"""The API as methods: what the commands, and the demo, ask a coordinator with."""

import json
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from coordinator.cli.exits import CommandFailed, NotAllowed, NotReachable, UsageWrong
from coordinator.cli.multipart import CHUNK_BYTES, Form, chunks, form_of
from coordinator.cli.place import NOT_RUNNING, Place, locate
from coordinator.tls_faults import trouble_in

# JSON documents of the API: their shape is the API's business, the tables pick what they show.
Document = dict[str, Any]

# Nothing more comes of these by itself; a lost one waits for a person.
JOB_ENDS = frozenset({"finished", "failed", "cancelled", "lost"})

ANSWER_S = 10.0
# Looking at a big model takes the coordinator longer than any other request.
SUBMITTED_S = 300.0
# A printer answers a line when it has carried it out; the coordinator waits a little longer.
COMMANDED_S = 75.0
# A million events take a minute, and a small machine several.
VERIFIED_S = 900.0
# A camera, and the way of its picture, have 45 s.
PICTURED_S = 60.0
# What is read of a list at once.
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One question; the body is sent as it is read."""

    method: str
    path: str
    body: Sequence[bytes | BinaryIO] = ()
    body_bytes: int = 0
    content_type: str = "application/json"
    answer_s: float = ANSWER_S


class FarmClient:
    """One coordinator; every method asks it once, and blocks until it has answered.

    The standard library's client, because this one has to be loaded before any answer shows. Each
    question has a connection of its own, so that threads may share this.
    """

    def __init__(self, place: Place) -> None:
        """Take the address and the token; nothing is sent yet.

        Raises:
            UsageWrong: the address has no host, or a port that is none.
        """
        self._place = place
        parts = urlsplit(place.url)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            self._host, self._port = "", None
        if not self._host:
            raise UsageWrong(f"{place.url!r} is no address: write http://HOST:PORT")
        self._tls = _tls_context(place.ca_file) if parts.scheme == "https" else None
        self._root = parts.path + "/api/v1/"

    def health(self) -> Document:
        """Return the coordinator's health, whether it is good or not."""
        return self._document(_Request(method="GET", path="health"), also=(503,))

    def jobs(self, states: Sequence[str] = ()) -> list[Document]:
        """Return jobs in order of arrival; only those in one of the states, if any are given."""
        return self.all_of("jobs", [("state", state) for state in states])

    def all_of(self, path: str, wanted: Sequence[tuple[str, str]] = ()) -> list[Document]:
        """Return a whole list, page by page, narrowed by what is wanted."""
        found: list[Document] = []
        cursor: str | None = ""
        while cursor is not None:
            query = urlencode([("limit", str(PAGE)), *wanted, ("cursor", cursor)])
            page = self.ask("GET", f"{path}?{query}")
            found += page["items"]
            cursor = page["next"]
        return found

    def job(self, job_id: str) -> Document:
        """Return one job."""
        return self.ask("GET", f"jobs/{_step(job_id)}")

    def why(self, job_id: str) -> list[Document]:
        """Return why a job waits."""
        return list((self.ask("GET", f"jobs/{_step(job_id)}/why"))["items"])

    def control_job(self, job_id: str, verb: str) -> Document:
        """Cancel, pause, resume or approve a job."""
        return self.ask("POST", f"jobs/{_step(job_id)}/{verb}")

    def submit(self, file: Path, fields: Mapping[str, str]) -> Document:
        """Send a model or G-code with what is wanted of it."""
        return self.send("jobs", file, fields)

    def send(self, path: str, file: Path | None, fields: Mapping[str, str]) -> Document:
        """Send a form: a file, or none, and fields beside it."""
        if file is None:
            return self._send(path, form_of(fields))
        try:
            opened = file.open("rb")
        except OSError as error:
            raise CommandFailed(f"{file} can't be read: {error.strerror}") from error
        with opened:
            return self._send(path, form_of(fields, opened, file.name))

    def _send(self, path: str, form: Form) -> Document:
        request = _Request(
            method="POST",
            path=path,
            body=form.parts,
            body_bytes=form.size_bytes,
            content_type=form.content_type,
            answer_s=SUBMITTED_S,
        )
        return self._document(request)

    def users(self) -> list[Document]:
        """Return all users, by name."""
        return list((self.ask("GET", "users"))["items"])

    def add_user(self, wanted: Document) -> Document:
        """Make a user."""
        return self.ask("POST", "users", wanted)

    def change_user(self, name: str, wanted: Document) -> Document:
        """Change what is given of a user."""
        return self.ask("PATCH", f"users/{_step(name)}", wanted)

    def set_password(self, name: str, password: str) -> Document:
        """Give a user another password."""
        return self.ask("POST", f"users/{_step(name)}/password", {"password": password})

    def remove_user(self, name: str) -> Document:
        """Take all of a user's ways in away."""
        return self.ask("DELETE", f"users/{_step(name)}")

    def keys(self, user: str = "") -> list[Document]:
        """Return keys; only a user's, if one is given."""
        return list((self.ask("GET", f"keys?{urlencode({'user': user})}"))["items"])

    def create_key(self, wanted: Document) -> Document:
        """Make a key, which is told this once."""
        return self.ask("POST", "keys", wanted)

    def revoke_key(self, key_id: str) -> Document:
        """Make a key useless."""
        return self.ask("DELETE", f"keys/{_step(key_id)}")

    def run(self, run_id: str) -> Document:
        """Return one run."""
        return self.ask("GET", f"runs/{_step(run_id)}")

    def settle(self, run_id: str, outcome: str) -> Document:
        """Say how a lost run ended: finished, failed or reprint."""
        return self.ask("POST", f"runs/{_step(run_id)}/settle", {"outcome": outcome})

    def printers(self) -> list[Document]:
        """Return all printers, by id."""
        return list((self.ask("GET", "printers"))["items"])

    def printer(self, printer_id: str) -> Document:
        """Return one printer."""
        return self.ask("GET", f"printers/{_step(printer_id)}")

    def clear(self, printer_id: str) -> Document:
        """Declare a bed clear."""
        return self.ask("POST", f"printers/{_step(printer_id)}/clear")

    def claim_bed(self, printer_id: str) -> Document:
        """Say that somebody is at a bed."""
        return self.ask("POST", f"printers/{_step(printer_id)}/clearing")

    def abandon_bed(self, printer_id: str) -> Document:
        """Say that a bed was not cleared after all."""
        return self.ask("DELETE", f"printers/{_step(printer_id)}/clearing")

    def set_service(self, printer_id: str, *, in_service: bool) -> Document:
        """Take a printer out of the farm's hands, or give it back."""
        path = f"printers/{_step(printer_id)}/service"
        return self.ask("POST", path, {"in_service": in_service})

    def command(self, printer_id: str, name: str, arguments: Document) -> str:
        """Have a printer do one thing that is not state; returns its words."""
        body = json.dumps({"name": name, "arguments": arguments}).encode()
        request = _Request(
            method="POST",
            path=f"printers/{_step(printer_id)}/commands",
            body=(body,),
            body_bytes=len(body),
            answer_s=COMMANDED_S,
        )
        return str(self._document(request)["words"])

    @property
    def url(self) -> str:
        """The coordinator's address."""
        return self._place.url

    def agents(self) -> list[Document]:
        """Return all agents, by id."""
        return list((self.ask("GET", "agents"))["items"])

    def make_agent_token(self, agent_id: str | None, valid_s: float) -> Document:
        """Make a one-time token to enrol with; None is for a new name."""
        return self.ask("POST", "agents/tokens", {"agent_id": agent_id, "valid_s": valid_s})

    def rotate_agent(self, agent_id: str, valid_s: float) -> Document:
        """Make a token that replaces an agent's credential."""
        return self.ask("POST", f"agents/{_step(agent_id)}/rotate", {"valid_s": valid_s})

    def revoke_agent(self, agent_id: str) -> Document:
        """Shut an agent out."""
        return self.ask("POST", f"agents/{_step(agent_id)}/revoke")

    def broker_files(self) -> dict[str, str]:
        """Return the files for a broker elsewhere, by name."""
        return self.ask("GET", "broker/files")

    def events(self, **wanted: str | int) -> Document:
        """Return a page of the history, and the cursor after it, as `next`."""
        return self.ask("GET", f"events?{urlencode(wanted)}")

    def verify_events(self, head: str = "") -> Document:
        """Have the whole history proved; `head` is NUMBER:HASH of a line that must be in it."""
        query = f"?{urlencode({'head': head})}" if head else ""
        return self._document(
            _Request(method="GET", path=f"events/verify{query}", answer_s=VERIFIED_S)
        )

    def save_artifact(self, sha256: str, to: Path) -> None:
        """Write an artifact's bytes to a file."""
        with to.open("wb") as file:
            self._save(_Request(method="GET", path=f"artifacts/{_step(sha256)}"), file)

    def printer_picture(self, printer_id: str, age_s_max: float) -> tuple[bytes, str]:
        """Return what a printer's camera sees, not older than so, and when that was."""
        path = f"printers/{_step(printer_id)}/picture?age_s_max={age_s_max:g}"
        return self._picture(_Request(method="GET", path=path, answer_s=PICTURED_S))

    def run_picture(self, run_id: str) -> tuple[bytes, str]:
        """Return what was seen when a run ended, and when that was."""
        return self._picture(_Request(method="GET", path=f"runs/{_step(run_id)}/picture"))

    def _picture(self, request: _Request) -> tuple[bytes, str]:
        picture = BytesIO()
        taken_at = self._save(request, picture).headers["X-Farmhand-Taken-At"]
        return picture.getvalue(), taken_at

    def archive_events(self, before: str, to: BinaryIO) -> int:
        """Write the archive of all that happened before a time; return its last line's number."""
        query = urlencode({"before": before})
        request = _Request(method="GET", path=f"events/archive?{query}", answer_s=VERIFIED_S)
        return int(self._save(request, to).headers["X-Farmhand-Upto"])

    def save_backup(self, to: BinaryIO, name: str = "") -> None:
        """Write a backup of the whole farm to a file: a new one, or that of its own folder."""
        made = _Request(method="GET", path="backup", answer_s=VERIFIED_S)
        kept = _Request(method="GET", path=f"backups/{_step(name)}", answer_s=VERIFIED_S)
        self._save(kept if name else made, to)

    def save_statistics(self, query: str, to: BinaryIO) -> None:
        """Write figures to a file, as a sheet."""
        self._save(_Request(method="GET", path=f"statistics.csv?{query}"), to)

    def save_runs(self, query: str, to: BinaryIO) -> None:
        """Write the runs that ended in a span to a file, as a sheet."""
        request = _Request(method="GET", path=f"runs.csv?{query}", answer_s=VERIFIED_S)
        self._save(request, to)

    def seal_events(self, upto: int, archive_sha256: str) -> Document:
        """Have the events removed of which an archive is safe here."""
        body = json.dumps({"upto": upto, "archive_sha256": archive_sha256}).encode()
        request = _Request(
            method="POST",
            path="events/seal",
            body=(body,),
            body_bytes=len(body),
            answer_s=VERIFIED_S,
        )
        return self._document(request)

    def _save(self, request: _Request, to: BinaryIO) -> HTTPResponse:
        """Write an answer's body to a file; return its head."""
        connection = self._connection(request.answer_s)
        try:
            answer = self._answer(connection, request)
            if answer.status != 200:
                raise self._failure(answer.status, answer.read())
            while chunk := answer.read(CHUNK_BYTES):
                _write(to, chunk)
            return answer
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def ask(
        self, method: str, path: str, said: Document | None = None, *, answer_s: float = ANSWER_S
    ) -> Document:
        """Ask one question; `path` begins below the API's root."""
        body = json.dumps(said).encode() if said is not None else b""
        request = _Request(
            method=method, path=path, body=(body,), body_bytes=len(body), answer_s=answer_s
        )
        return self._document(request)

    def _document(self, request: _Request, also: Sequence[int] = ()) -> Document:
        """Return the JSON of an answer that says yes, or one of the statuses that also will do."""
        connection = self._connection(request.answer_s)
        try:
            answer = self._answer(connection, request)
            body = answer.read()
            if answer.status >= 400 and answer.status not in also:
                raise self._failure(answer.status, body)
            document: Document = json.loads(body)
            return document
        except (OSError, HTTPException, ValueError) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _connection(self, answer_s: float) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=answer_s)
        return HTTPSConnection(self._host, self._port, timeout=answer_s, context=self._tls)

    def _answer(self, connection: HTTPConnection, request: _Request) -> HTTPResponse:
        """Send a request and return the answer's head."""
        connection.putrequest(request.method, self._root + request.path)
        connection.putheader("Authorization", f"Bearer {self._place.token}")
        if request.body_bytes:
            connection.putheader("Content-Type", request.content_type)
        connection.putheader("Content-Length", str(request.body_bytes))
        # Who refuses an upload may hang up in the middle of it, with its answer already sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders()
            for chunk in chunks(request.body):
                connection.send(chunk)
        return connection.getresponse()

    def _failure(self, status: int, body: bytes) -> CommandFailed:
        """Return what a problem document says, as an error."""
        try:
            problem: Document = json.loads(body)
            detail, code = str(problem["detail"]), str(problem["code"])
            others = problem.get("errors", [])[1:]
        except (ValueError, KeyError, TypeError):
            return CommandFailed(f"{self._place.url} answered {status}")
        detail += "".join(f"\n{other['pointer'][1:]}: {other['detail']}" for other in others)
        kind = NotAllowed if status in (401, 403) else CommandFailed
        return kind(detail, code=code)

    def _unreachable(self, error: Exception) -> NotReachable:
        if trouble := trouble_in(error, self._host, "FARMHAND_CA_FILE"):
            return NotReachable(trouble, code="tls")
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return NotReachable(f"{self._place.url} does not answer ({why}); {NOT_RUNNING}")


def _tls_context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise UsageWrong(f"FARMHAND_CA_FILE {ca_file} can't be used: {error}") from error


def _step(text: str) -> str:
    return quote(text, safe="")


def _write(to: BinaryIO, chunk: bytes) -> None:
    try:
        to.write(chunk)
    except OSError as error:
        raise CommandFailed(f"{to.name} can't be written: {error.strerror}") from error


def connect(url: str, token_file: Path | None) -> FarmClient:
    """Return the coordinator that the options, the environment or the state folder name.

    Raises:
        CommandFailed: see `place.locate`.
    """
    return FarmClient(locate(url, token_file))
