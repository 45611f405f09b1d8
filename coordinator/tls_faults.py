"""Why TLS with somebody failed, in words."""

import ssl
from collections.abc import Iterator

from protocols.certificate_faults import certificate_fault, no_tls


def trouble_in(error: BaseException, where: str, ca_setting: str) -> str:
    """Return why TLS with somebody failed, in one sentence; empty where it was not TLS."""
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return certificate_fault(each.verify_code, where, ca_setting)
        if isinstance(each, ssl.SSLError) and each.reason == "WRONG_VERSION_NUMBER":
            return no_tls(where)
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        reason = getattr(error, "reason", None)
        error = (
            reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
        )
