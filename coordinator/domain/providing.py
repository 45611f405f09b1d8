"""What providers of models are asked, and what they answer: values, the same for all of them.

Each provider is a file in `adapters/providers`; the port stands in `ports_providers.py`. Money is
counted in the provider's own unit (`USD`, `credits`), as decimals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from coordinator.domain.history import Plain
from coordinator.errors import FarmError

# What every provider takes pictures as; some take WebP as well.
PICTURE_TYPES = ("image/jpeg", "image/png")
WEBP = "image/webp"


class Kind(StrEnum):
    """What a wish is made of."""

    TEXT = "text"
    IMAGE = "image"  # one picture
    MULTIVIEW = "multiview"  # several pictures of one thing
    CODE = "code"  # code that a person wrote or changed; nobody is asked for more
    LINK = "link"  # an address of a library or a file
    MESH = "mesh"  # a mesh to be mended, remeshed or looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A JPEG, PNG or WebP, at hand."""

    media_type: str
    data: bytes = field(repr=False)
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a conversation; `speaker` is `user` or `assistant`."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of a provider.

    Attributes:
        prompt: words; of a conversation the newest message.
        conversation: what was said before, oldest first.
        code: CODE: what is to be made; TEXT in a conversation: what stands so far.
        parameters: of that code.
        url: LINK: what is linked to.
        mesh_sha256: MESH: the artifact. `mesh`: its bytes, in a format that the offer takes; there
            only where the wish is about to be submitted.
        size_mm: how long the longest side shall be; None where the source knows its own size.
        seed: None for any.
        options: of this provider, as its offer names them.
    """

    kind: Kind
    prompt: str = ""
    pictures: tuple[Picture, ...] = ()
    conversation: tuple[Said, ...] = ()
    code: str = ""
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    url: str = ""
    mesh_sha256: str = ""
    mesh: bytes = field(default=b"", repr=False)
    size_mm: float | None = None
    seed: int | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class Again(StrEnum):
    """What is true of a paid call whose answer was lost."""

    SAME_KEY = "same_key"  # with the same key it is the same call: say it again
    LISTED = "listed"  # `recall` finds it, or tells that there is none
    COSTS_ONLY = "costs_only"  # said again it does no harm, and costs at most what was reserved
    NEVER = "never"  # nobody can tell: a person decides


class Cancels(StrEnum):
    """Which of a provider's tasks can be called off."""

    NEVER = "never"
    WAITING = "waiting"  # until it runs
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A setting of a provider that a wish may name.

    Attributes:
        choices: empty where any value will do.
        kinds: of the wishes that it is for; empty for all.
    """

    name: str
    type: str  # `string`, `integer`, `number`, `boolean`
    words: str
    choices: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a provider takes and gives; it does not change while the coordinator runs.

    Attributes:
        service: what it is: `meshy`, `fal`, `openscad`; several providers may be the same service.
        title: for people.
        language: of the code it writes; empty for providers of meshes.
        needs_size: what it gives has no true size, so who wishes has to say one.
        picture_types: what it takes pictures as, by their media types.
        mesh_types: what it takes meshes as, by their suffixes; others become an STL before.
        mesh_bytes_max: the longest of them.
        converses: a further message changes what stands.
        at_once_max: tasks that may run at the same time.
        look_every_s: the shortest time between two looks at a task.
        patience_s: how long a task may take in all.
        tool: what works on this machine, with its version and how well it is shut in; empty where
            all of it is done elsewhere.
        trouble: why that does not work here, and what to install; empty where it does.
    """

    service: str
    title: str
    kinds: frozenset[Kind]
    language: str = ""
    prompt_chars_max: int = 0
    pictures_max: int = 0
    picture_bytes_max: int = 0
    picture_types: tuple[str, ...] = PICTURE_TYPES
    mesh_types: tuple[str, ...] = (".stl",)
    mesh_bytes_max: int = 0
    options: tuple[Option, ...] = ()
    needs_size: bool = True
    converses: bool = False
    again: Again
    cancels: Cancels = Cancels.NEVER
    at_once_max: int = 1
    look_every_s: float = 5.0
    patience_s: float = 1800.0
    tool: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """An amount in a provider's own unit; `exact` where it is a price and not a guess."""

    amount: Decimal
    unit: str
    exact: bool = False


class Blame(StrEnum):
    """The classes of what can go wrong, after what has to be done about it."""

    RETRY_SAFE = "retry_safe"  # it certainly did nothing, or saying it again does no harm
    SUBMIT_UNSURE = "submit_unsure"  # a paid call that may or may not have happened
    WAIT_SLOT = "wait_slot"  # too much runs there, or is asked: later, and no attempt
    QUOTA = "quota"  # no credit is left: a person pays
    AUTH_CONFIG = "auth_config"  # key, plan or address are wrong: a person mends it
    INVALID_INPUT = "invalid_input"  # this wish can't be met
    CONTENT_BLOCKED = "content_blocked"  # it is not wanted there; never taken elsewhere in silence
    PROVIDER_FAILED = "provider_failed"  # the task was run, and failed
    EXPIRED = "expired"  # what was made is no longer there
    PROTOCOL = "protocol"  # an answer that makes no sense
    DEADLINE = "deadline"  # it took longer than the offer's patience


@dataclass(eq=False)
class ProviderFault(FarmError):
    """A provider did not do what was asked; wrapped once, in its adapter.

    Attributes:
        code: stable, as the provider has it where it has one: `NoMoreConcurrentTasks`.
        message: for a person: what happened and what to do; never a secret or a signed address.
        after_s: when it may be tried again, where the provider told.
        request_id: of the provider, for its support.
        field: of the wish, where one of them is to blame.
    """

    blame: Blame
    code: str
    message: str
    after_s: float | None = None
    request_id: str = ""
    field: str = ""

    def __str__(self) -> str:
        return self.message


class Phase(StrEnum):
    """Where a task stands, as its provider tells."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # a word that nobody knows, or nothing there (yet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A task at a provider: all that is needed to ask for it, also after a restart."""

    task_id: str
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of what a provider made.

    Attributes:
        role: `mesh`, `picture`, `code`, `step`, `other`.
        suffix: `.stl`; what it is said to be, looked at before it is believed.
        url: empty where `data` is the file itself.
        own: it lies with the provider itself, and is asked for with its key; never shown elsewhere.
        item: which of several models of one task it belongs to, from 0.
    """

    role: str
    name: str
    suffix: str
    url: str = field(default="", repr=False)
    data: bytes = field(default=b"", repr=False)
    size_bytes: int | None = None
    expires_at: datetime | None = None
    own: bool = False
    item: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a task.

    Attributes:
        progress: 0 to 1, None where it does not tell; never a sign that it has succeeded.
        stage: what it does now, for a person: `compiling, round 2`.
        queue_position: how many are before it.
        pieces: SUCCEEDED: what there is to fetch, best mesh first.
        fault: FAILED: why.
        charged: what it cost, where the provider tells.
        told: facts for the version's origin: `author`, `licence`, `service_model`, `seed`, `tool`;
            `parameters`: the form of its code; `report`: what was found in a mesh that was only
            looked at, of which there are no pieces then.
        said: what the provider answered, in a conversation.
        look_after_s: when to look again, where the provider told.
    """

    phase: Phase
    progress: float | None = None
    stage: str = ""
    queue_position: int | None = None
    pieces: tuple[Piece, ...] = ()
    fault: ProviderFault | None = None
    charged: Cost | None = None
    told: Mapping[str, Plain] = field(default_factory=dict)
    said: str = ""
    look_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A task was made; `look` is there where the provider answered with all of it at once."""

    handle: Handle
    look: Look | None = None


class CallingOff(StrEnum):
    """What became of calling a task off."""

    DONE = "done"  # it is not run, and not charged
    REFUSED = "refused"  # it goes on, and is charged
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a provider is, by a call that costs nothing; no balance where it does not tell one."""

    ready: bool
    words: str = ""
    balance: Cost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A webhook said that something changed; what it was is looked at, not believed.

    Attributes:
        delivery_id: empty where the provider has none.
    """

    task_id: str
    delivery_id: str = ""
