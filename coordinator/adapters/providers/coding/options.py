"""The settings of providers that write code: which language model, its dialect, and the limits."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from coordinator.adapters.providers.options import HttpOptions


class LlmOptions(HttpOptions):
    """Any server that speaks OpenAI's chat completions; the rest is how servers differ.

    Attributes:
        base_url: up to and with `/v1`: of Ollama `http://127.0.0.1:11434/v1`.
        model: empty where no language model is asked: then only code that people bring is taken.
        tokens_max: of one answer. `context_tokens`: of question and answer; servers that cut longer
            ones without a word (Ollama) would forget what is asked.
        max_tokens_field: how the server calls it; reasoning models want `max_completion_tokens`.
        system_role: who says what the libraries are; `user` for models that know no other.
        stream: answers come word by word, so that silence is noticed. `stream_usage`: ask for the
            tokens at the end.
        temperature: None leaves it to the server; some models refuse to be told.
        seeds: it takes a seed.
        reasoning_effort: `low`, `medium`, `high`; empty leaves it to the server.
        extra_headers, extra_body: added to every request as they stand.
        silence_s: the longest wait for the next word, the first one's too.
        price_in, price_out: of a million tokens, in `currency`. 0 for one's own machine.
        cost_max: what one generation may cost; None for what its rounds cost at most.
    """

    base_url: str = "https://api.openai.com/v1"
    call_s: float = Field(default=600.0, gt=0, le=3600)
    model: str = ""
    tokens_max: int = Field(default=8192, ge=256, le=1_000_000)
    context_tokens: int = Field(default=32_768, ge=2048)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system_role: Literal["system", "developer", "user"] = "system"
    stream: bool = True
    stream_usage: bool = True
    temperature: float | None = Field(default=None, ge=0, le=2)
    seeds: bool = False
    reasoning_effort: str = ""
    extra_headers: dict[str, str] = Field(default_factory=dict)
    extra_body: dict[str, Any] = Field(default_factory=dict)
    silence_s: float = Field(default=180.0, gt=0)
    price_in: Decimal = Field(default=Decimal(0), ge=0)
    price_out: Decimal = Field(default=Decimal(0), ge=0)
    currency: str = "USD"
    cost_max: Decimal | None = Field(default=None, gt=0)


class CodingOptions(LlmOptions):
    """And how code is rendered.

    Attributes:
        rounds_max: how often code is written before it is given up: the first time and corrections.
        prompt_tokens_max: how much of what is known of the libraries is told.
        at_once_max: generations at the same time.
        render_s: how long rendering may take; `render_memory_mib`: what it may take of memory.
    """

    rounds_max: int = Field(default=4, ge=1, le=12)
    prompt_tokens_max: int = Field(default=3000, ge=200)
    at_once_max: int = Field(default=1, ge=1, le=16)
    render_s: float = Field(default=180.0, gt=0, le=3600)
    render_memory_mib: int = Field(default=3072, ge=256)


class OpenScadOptions(CodingOptions):
    """OpenSCAD.

    Attributes:
        engine: `native`, `wasm`, or the faster of those that may be used here.
        program: the system's OpenSCAD, by name or path.
        libraries_folder: further libraries of code, each a folder; empty for none.
    """

    engine: Literal["auto", "native", "wasm"] = "auto"
    program: str = "openscad"
    libraries_folder: str = ""


class CadPythonOptions(CodingOptions):
    """CAD in Python.

    Attributes:
        program: FreeCAD's, by name or path, where it is not called as usual.
    """

    library: Literal["build123d", "cadquery", "freecad"] = "build123d"
    program: str = ""
