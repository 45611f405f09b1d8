"""What can go wrong between a model and its plate.

SlicingError
├── RequestInvalid         request_invalid      the caller's JSON is wrong: mend the caller
├── ModelError                                  the file's fault: another file is needed
│   ├── ModelMissing       model_missing        no such file, or it can't be read
│   ├── ModelUnsupported   model_unsupported    not a model, or of a kind that is not read
│   ├── ModelEmpty         model_empty          no bytes, or no triangles
│   ├── ModelBroken        model_broken         cut off, contradicts itself, or no numbers
│   ├── ModelTooComplex    model_too_complex    beyond a limit on bytes, triangles or memory
│   ├── ModelTooLarge      model_too_large      fits no bed
│   └── ModelUnprintable   model_unprintable    nothing that an engine can lay down
├── ProfileError                                the choice's fault: choose otherwise
│   ├── ProfileUnknown     profile_unknown      no such printer, material or quality
│   ├── SettingInvalid     setting_invalid      no such setting, or not with this value
│   ├── ProfileInvalid     profile_invalid      a file in the configs folder is wrong
│   └── SettingsRefused    settings_refused     each is known, together they can't work
├── EngineError                                 this machine's fault
│   ├── EngineUnknown      engine_unknown       no engine of that name is registered
│   ├── EngineMissing      engine_missing       its program is not installed
│   ├── EngineTimedOut     engine_timed_out     it took longer than it was given
│   ├── EngineFailed       engine_failed        it ended badly, for a reason not known here
│   └── PlateRejected      plate_rejected       it ended well, but what it wrote is no good
├── OutputUnwritable       output_unwritable    disk full or no permission; `retry` once mended
└── Cancelled              cancelled            somebody asked to stop; may be asked again

A code is for ever: people's scripts and the coordinator's tables hold it.
"""

from typing import Any, ClassVar


class SlicingError(Exception):
    """The root of everything that `slicing` raises on purpose.

    Attributes:
        code: stable name of the failure, for programs.
        retry: whether the same request can succeed later with nothing about it changed.
        details: the facts behind the sentence, ready for JSON.
    """

    code: ClassVar[str]
    retry: ClassVar[bool] = False

    def __init__(self, message: str, **details: Any) -> None:
        """Take one sentence that says what to do, and the facts behind it."""
        super().__init__(message)
        self.details = details


class RequestInvalid(SlicingError):
    """The request is no JSON, or a field is missing, unknown or out of range."""

    code = "request_invalid"


class ModelError(SlicingError):
    """The root of what is wrong with the model itself."""


class ModelMissing(ModelError):
    """There is no such file, or it can't be read."""

    code = "model_missing"


class ModelUnsupported(ModelError):
    """Not a model, or a kind of model that is not read."""

    code = "model_unsupported"


class ModelEmpty(ModelError):
    """No bytes, or no triangles."""

    code = "model_empty"


class ModelBroken(ModelError):
    """Cut off, at odds with its own header, or with coordinates that are no numbers."""

    code = "model_broken"


class ModelTooComplex(ModelError):
    """Beyond a limit on bytes, triangles or memory."""

    code = "model_too_complex"


class ModelTooLarge(ModelError):
    """It fits none of the beds in question."""

    code = "model_too_large"


class ModelUnprintable(ModelError):
    """Flat, too thin, or without a foot to stand on."""

    code = "model_unprintable"


class ProfileError(SlicingError):
    """The root of what is wrong with printer, material, quality or settings."""


class ProfileUnknown(ProfileError):
    """No printer, material or quality of that name; the message lists those there are."""

    code = "profile_unknown"


class SettingInvalid(ProfileError):
    """No setting of that name, or one that can't have this value."""

    code = "setting_invalid"


class ProfileInvalid(ProfileError):
    """A file in the configs folder is wrong; the message names file and key."""

    code = "profile_invalid"


class SettingsRefused(ProfileError):
    """Printer, material and settings that can't work together."""

    code = "settings_refused"


class EngineError(SlicingError):
    """The root of what is wrong with the slicer on this machine."""


class EngineUnknown(EngineError):
    """No engine of that name is registered."""

    code = "engine_unknown"


class EngineMissing(EngineError):
    """The engine's program, or a library that slicing needs, is not installed."""

    code = "engine_missing"


class EngineTimedOut(EngineError):
    """The engine took longer than it was given, and was ended."""

    code = "engine_timed_out"


class EngineFailed(EngineError):
    """The engine ended badly; `details` hold its status and last words."""

    code = "engine_failed"


class PlateRejected(EngineError):
    """The engine reports success, yet its G-code would not print this part on this printer."""

    code = "plate_rejected"


class OutputUnwritable(SlicingError):
    """The plate can't be stored: disk full, no such folder, no permission."""

    code = "output_unwritable"
    retry = True


class Cancelled(SlicingError):
    """Asked to stop before the end."""

    code = "cancelled"
    retry = True
