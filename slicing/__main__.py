"""The child process: one JSON request on standard input, JSON lines on standard output.

Lines of kind `progress`, then exactly one of kind `result` (exit status 0) or `failed` (3). Any
other ending is a crash, told on standard error. README.md shows the shapes.
"""

import json
import os
import signal
import sys
from dataclasses import asdict
from types import FrameType
from typing import Any, TextIO

from slicing.errors import Cancelled, EngineMissing, ModelTooComplex, RequestInvalid, SlicingError
from slicing.process import end_with_parent, limit_own_memory

EXIT_FAILED = 3

# A request is a page of settings; a model never travels inside.
_REQUEST_BYTES_MAX = 1024 * 1024


class _Terminated(BaseException):
    """SIGTERM or SIGINT: unwinds everything, past handlers that catch what parsers raise."""


def main() -> int:
    """Answer one request; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _terminate)
    end_with_parent()
    out = _claim_stdout()
    try:
        _say(out, "result", _answer(out, sys.stdin.buffer.read(_REQUEST_BYTES_MAX + 1)))
        return 0
    except SlicingError as error:
        failure = error
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in ("protocols", "slicing"):
            raise
        failure = EngineMissing(
            f"The library {error.name}, which slicing needs, is not installed: "
            "pip install 'farmhand[slicing]'."
        )
    except MemoryError:
        failure = ModelTooComplex(
            "The model takes more memory than it is given: reduce its triangles (decimate)."
        )
    except _Terminated:
        failure = Cancelled("The slicing was stopped on request; ask again to repeat it.")
    _say(
        out,
        "failed",
        {
            "code": failure.code,
            "message": str(failure),
            "retry": failure.retry,
            "details": failure.details,
        },
    )
    return EXIT_FAILED


def _answer(out: TextIO, text: bytes) -> dict[str, Any]:
    """Return what goes into the result line."""
    if len(text) > _REQUEST_BYTES_MAX:
        raise RequestInvalid("The slicing request is longer than 1 MiB: pass paths, not contents.")
    # numpy's threads reserve address space for each core, which the limit below would count.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Looking for plugins reads the metadata of all that is installed, for each shape again.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from slicing.request import (
        ConvertRequest,
        ImportRequest,
        InspectRequest,
        ListRequest,
        MakeRequest,
        ProbeRequest,
        ShowRequest,
        VerifyRequest,
        parse_request,
    )
    from slicing.results import ProbeResult

    request = parse_request(text)
    if isinstance(request, ListRequest | ShowRequest | ImportRequest):
        from slicing.listing import answer

        return answer(request)
    if isinstance(request, ProbeRequest):
        from slicing.registry import open_engine

        open_engine(request.engine).installation()
        return asdict(ProbeResult(engine=request.engine))
    limit_own_memory(request.limits.memory_bytes_max)
    if isinstance(request, InspectRequest):
        from slicing.inspection import inspect

        return asdict(inspect(request))
    if isinstance(request, VerifyRequest):
        from slicing.verifying import verify_plate

        return asdict(verify_plate(request))
    if isinstance(request, ConvertRequest):
        from slicing.converting import convert

        return asdict(convert(request))

    def report(ratio: float, stage: str) -> None:
        _say(out, "progress", {"ratio": round(ratio, 3), "stage": stage})

    if isinstance(request, MakeRequest):
        from slicing.making import make_printable

        return asdict(make_printable(request, report))
    from slicing.remembering import make_or_fetch

    return make_or_fetch(request, report)


def _say(out: TextIO, kind: str, facts: dict[str, Any]) -> None:
    out.write(json.dumps({"kind": kind, **facts}, ensure_ascii=False) + "\n")
    out.flush()


def _claim_stdout() -> TextIO:
    """Return standard output, and send there to standard error whatever libraries print."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated


if __name__ == "__main__":
    sys.exit(main())
