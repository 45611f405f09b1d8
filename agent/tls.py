"""TLS with coordinator and broker: whose certificate is believed, and why one was not."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from protocols.certificate_faults import certificate_fault, no_tls

CA_SETTING = "ca_file"


def context_of(ca_file: Path | str | None) -> ssl.SSLContext:
    """Return what believes this authority only; the system's where there is none."""
    return ssl.create_default_context(cafile=ca_file)


def trouble_in(error: BaseException, where: str) -> str:
    """Return why TLS with somebody failed, in one sentence; empty where it was not TLS."""
    for each in _causes(error):
        if not isinstance(each, ssl.SSLError):
            continue
        # aiohttp's own errors are such too, but have none of the fields; what caused them has.
        if (code := getattr(each, "verify_code", None)) is not None:
            return certificate_fault(code, where, CA_SETTING)
        if getattr(each, "reason", "") == "WRONG_VERSION_NUMBER":
            return no_tls(where)
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it; libraries wrap the one that tells."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
