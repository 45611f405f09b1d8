"""Data from outside as frozen shapes: an unknown key is an error, and an error is a sentence."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Millimetres = Annotated[float, Field(gt=0, le=5000)]
Speed = Annotated[float, Field(gt=0, le=1000)]  # mm/s
Celsius = Annotated[float, Field(ge=0, le=500)]
Percent = Annotated[float, Field(ge=0, le=100)]
Layers = Annotated[int, Field(ge=0, le=1000)]


class Shape(BaseModel):
    """Frozen, finite numbers only, and a misspelt key is never silently dropped."""

    # Built when first used: of some thirty shapes, one request needs a third.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return where the first fault lies (`bed.size_mm`, may be empty) and what it is."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return where, "there is no such key"
    if fault["type"] == "missing":
        return where, "this key is missing"
    what = fault["msg"].removeprefix("Value error, ")
    return where, what[:1].lower() + what[1:]
