"""Why a certificate was not believed, by OpenSSL's number for it, and what a person can do."""

# OpenSSL, include/openssl/x509_vfy.h
_NOT_YET, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
_OTHER_NAME = (62, 64)


def certificate_fault(verify_code: int, where: str, ca_setting: str) -> str:
    """Return one sentence.

    Args:
        verify_code: `SSLCertVerificationError.verify_code`.
        where: whose certificate it is, `farm.local:8883`.
        ca_setting: what names the file with the authority's certificate here.
    """
    if verify_code == _EXPIRED:
        return (
            f"the certificate of {where} has expired: make a new one on the coordinator "
            "(`farmhand tls make`) and restart it, or set this machine's clock right"
        )
    if verify_code == _NOT_YET:
        return f"the certificate of {where} is not valid yet: set this machine's clock right"
    if verify_code in _OTHER_NAME:
        return (
            f"the certificate of {where} is for other names: use one of those, or make one for "
            "this too (`farmhand tls make --name NAME` on the coordinator)"
        )
    if verify_code in _UNKNOWN_AUTHORITY:
        return (
            f"the certificate of {where} is from an authority that is not known here: "
            f"set {ca_setting} to the file with the authority's certificate"
        )
    return f"the certificate of {where} is not believed (OpenSSL's reason {verify_code})"


def no_tls(where: str) -> str:
    """Return the sentence about somebody who does not speak TLS at all."""
    return f"{where} does not speak TLS: take mqtt:// or http://, or the port that does"
