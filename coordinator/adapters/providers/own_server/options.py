"""What a configuration says of a server: its requests as templates, its answers by pointers."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from coordinator.adapters.providers.json_pointer import check_pointer
from coordinator.adapters.providers.options import MIB, HttpOptions, Options
from coordinator.adapters.providers.own_server.templates import placeholders
from coordinator.domain.file_kinds import MESHES
from coordinator.domain.providing import Again, Blame, Cancels, Kind, Phase

# What templates of a submit may ask for, beside constants and `option.NAME`.
OF_A_WISH = frozenset(
    (
        *("key", "prompt", "seed", "size_mm", "callback_url"),
        *("image_b64", "image_data_uri", "image_file"),
        *("images_b64", "images_data_uri", "image_files"),
    )
)
OF_A_TASK = frozenset(("task_id", "key"))

Pointer = Annotated[str, AfterValidator(check_pointer)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Call(Options):
    """One request; `path` goes behind `base_url`, and both it and the rest are templates."""

    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    path: str = Field(pattern=r"^/")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None

    def asks_for(self) -> set[str]:
        """Return the placeholders that it has."""
        return placeholders([self.path, self.headers, self.body])


class Submit(Call):
    """The request that makes a task.

    Attributes:
        body_mode: how the body is sent; `raw` is the one picture as it is.
        answers: with a `task` to be looked at, with the `file` itself, or with a `document` that
            tells of files; the last two hold the connection until the work is done.
        task_id: where the answer names the task.
        within_s: how long it may take; None for `call_s`.
        failed_statuses: what this server answers with where the work was done, and failed.
        busy_statuses: where it takes no more for now.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"] = "POST"
    body_mode: Literal["json", "multipart", "raw"] = "json"
    answers: Literal["task", "file", "document"] = "task"
    task_id: Pointer = "/id"
    within_s: float | None = Field(default=None, gt=0)
    failed_statuses: tuple[int, ...] = ()
    busy_statuses: tuple[int, ...] = (429,)


class Status(Call):
    """The request that looks at a task.

    Attributes:
        phase: where the answer says how it is; `phases` tells what its words mean.
        progress_full: the progress of a task that is done: 1, or 100.
        missing: what a 404 means: the task was lost, or it does not show yet.
    """

    phase: Pointer = "/status"
    phases: dict[str, Phase] = Field(default_factory=dict)
    progress: Pointer | None = None
    progress_full: float = Field(default=1.0, gt=0)
    queue_position: Pointer | None = None
    missing: Literal["lost", "running"] = "lost"


class Result(Options):
    """Where the files of a task that succeeded are told of.

    Attributes:
        call: asked for it; None where the answer that told of success tells of them too.
        files: a list of files; None where there is one, told of in the answer itself.
        url, data: within a file: its address (relative ones are completed), or itself in base64.
        name, size: within a file.
        path: a template of its address, where that is known without being told.
        format: what it is, where neither name nor bytes tell.
    """

    call: Call | None = None
    files: Pointer | None = None
    url: Pointer | None = None
    data: Pointer | None = None
    name: Pointer | None = None
    size: Pointer | None = None
    path: str = Field(default="", pattern=r"^(/.*)?$")
    format: str = ".glb"

    @model_validator(mode="after")
    def _knows_the_format(self) -> "Result":
        if self.format not in MESHES:
            raise ValueError(f"format is one of {' '.join(MESHES)}")
        return self


class Words(Options):
    """Where an answer says what went wrong.

    Attributes:
        blames: what has to be done about its codes.
    """

    message: Pointer | None = None
    code: Pointer | None = None
    blames: dict[str, Blame] = Field(default_factory=dict)


class Price(Options):
    """What a task costs, in one's own unit.

    Attributes:
        fixed: each task; exact.
        per_s: each second that the server says (`seconds`) that it took.
    """

    unit: str = "EUR"
    fixed: Decimal = Field(default=Decimal(0), ge=0)
    per_s: Decimal = Field(default=Decimal(0), ge=0)
    seconds: Pointer | None = None


class Webhook(Options):
    """What it says by itself that something changed.

    Attributes:
        header: holds `t=SECONDS,v1=HEX`, an HMAC-SHA256 of `SECONDS.BODY`.
        task_id: where the body names the task.
    """

    secret: SecretStr
    header: str = "x-farm-signature"
    task_id: Pointer = "/id"


class Choice(Options):
    """A setting that a wish may name; templates have it as `option.NAME`."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    words: str = ""
    choices: tuple[str, ...] = ()


class OwnServerOptions(HttpOptions):
    """All of a server.

    Attributes:
        title: for people.
        auth: how the key is shown: `Authorization: Bearer`, a header of its own (`auth_header`), or
            as the password of `username`.
        constants: further names for templates: which model of several.
        again: what is true where an answer to `submit` was lost; unless told `costs_only` where a
            task costs nothing, and `never` where it does.
        answer_bytes_max: of an answer that holds a file in base64.
    """

    title: str = ""
    kinds: frozenset[Kind] = frozenset({Kind.TEXT})
    auth: Literal["none", "bearer", "header", "basic"] = "none"
    auth_header: str = "X-Api-Key"
    username: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    constants: dict[Name, str | int | float | bool] = Field(default_factory=dict)
    options: dict[Name, Choice] = Field(default_factory=dict)
    callback_url: str = ""
    submit: Submit
    status: Status | None = None
    result: Result = Result()
    words: Words = Words()
    cancel: Call | None = None
    cancels: Cancels = Cancels.ALWAYS
    delete: Call | None = None
    health: Call | None = None
    webhook: Webhook | None = None
    cost: Price = Price()
    again: Again | None = None
    needs_size: bool = True
    prompt_chars_max: int = Field(default=2000, ge=0)
    pictures_max: int = Field(default=1, ge=0, le=25)
    picture_bytes_max: int = Field(default=20 * MIB, gt=0)
    answer_bytes_max: int = Field(default=128 * MIB, gt=0)
    look_every_s: float = Field(default=2.0, gt=0)
    patience_s: float = Field(default=1800.0, gt=0)

    @model_validator(mode="after")
    def _makes_sense(self) -> "OwnServerOptions":
        if self.submit.answers == "task" and self.status is None:
            raise ValueError("submit answers with a task, so status has to say how it is looked at")
        if self.again is Again.LISTED:
            raise ValueError("again is same_key, costs_only or never")
        kinds = {Kind.TEXT, Kind.IMAGE, Kind.MULTIVIEW}
        if not self.kinds or not self.kinds <= kinds:
            raise ValueError("kinds are text, image and multiview")
        for name, asked, known in self._templates():
            if unknown := sorted(asked - known):
                raise ValueError(
                    f"{name} asks for ${{{unknown[0]}}}; there are {', '.join(sorted(known))}"
                )
        return self

    def _templates(self) -> Iterator[tuple[str, set[str], frozenset[str]]]:
        constants = frozenset(self.constants)
        chosen = frozenset(f"option.{name}" for name in self.options)
        yield "submit", self.submit.asks_for(), OF_A_WISH | constants | chosen
        later = {
            "status": self.status,
            "result.call": self.result.call,
            "cancel": self.cancel,
            "delete": self.delete,
        }
        for name, call in later.items():
            if call is not None:
                yield name, call.asks_for(), OF_A_TASK | constants
        yield "result.path", placeholders(self.result.path), OF_A_TASK | constants
        if self.health is not None:
            yield "health", self.health.asks_for(), constants
