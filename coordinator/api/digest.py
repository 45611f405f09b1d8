"""HTTP digest authentication, RFC 7616 with MD5, as far as PrusaLink's clients speak it.

Whoever checks an answer must know the password, so this is for the farm's own token only; of
people's passwords and keys nothing is stored that it could be checked with. A nonce is good for
`NONCE_S` and not remembered: who overhears an answer may repeat it for so long, at its address.
"""

import hashlib
import hmac
from urllib.request import parse_http_list, parse_keqv_list

REALM = "farmhand"
# A slicer asks for a nonce before each request, and answers at once.
NONCE_S = 300


def challenge(password: str, now_s: float) -> str:
    """Return the header `WWW-Authenticate`.

    Args:
        now_s: Unix seconds.
    """
    return f'Digest realm="{REALM}", qop="auth", algorithm=MD5, nonce="{_nonce(password, now_s)}"'


def proves(authorization: str, *, method: str, uri: str, password: str, now_s: float) -> bool:
    """Whether a header `Authorization` proves that its sender knows the password, as any user.

    Args:
        uri: what was asked for, as it stood in the request.
    """
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "digest":
        return False
    try:
        said = parse_keqv_list(parse_http_list(rest))
    except (ValueError, IndexError):
        return False
    nonce = said.get("nonce", "")
    if said.get("uri") != uri or said.get("qop") != "auth" or said.get("realm") != REALM:
        return False
    if not _is_fresh(nonce, password, now_s):
        return False
    known = _md5(f"{said.get('username', '')}:{REALM}:{password}")
    asked = _md5(f"{method}:{uri}")
    proof = _md5(f"{known}:{nonce}:{said.get('nc', '')}:{said.get('cnonce', '')}:auth:{asked}")
    return hmac.compare_digest(proof.encode(), said.get("response", "").encode("utf-8", "replace"))


def _nonce(password: str, now_s: float) -> str:
    at = f"{int(now_s):x}"
    return f"{at}-{hmac.new(password.encode(), at.encode(), hashlib.sha256).hexdigest()}"


def _is_fresh(nonce: str, password: str, now_s: float) -> bool:
    at, _, _ = nonce.partition("-")
    try:
        made_s = int(at, 16)
    except ValueError:
        return False
    ours = hmac.compare_digest(nonce.encode("utf-8", "replace"), _nonce(password, made_s).encode())
    return ours and 0 <= now_s - made_s <= NONCE_S


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
