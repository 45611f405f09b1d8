"""Signatures: whose, of which bytes. Ours is held against cryptography and RFC 8032."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import ReleaseUntrusted
from protocols.release.ed25519 import is_good
from protocols.release.signing import (
    PublicKey,
    Signature,
    digest_of,
    public_key,
    require_trusted,
    signature,
)

# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
            "f9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
            "4dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = PublicKey(key_id=b"farmhand", key=SECRET.public_key().public_bytes_raw())
DIGEST = digest_of([b"a ", b"release"])


def signed(digest: bytes = DIGEST, comment: str = "mine", key_id: bytes = KEY.key_id) -> Signature:
    over_file = SECRET.sign(digest)
    over_comment = SECRET.sign(over_file + comment.encode())
    return Signature(key_id=key_id, over_file=over_file, comment=comment, over_comment=over_comment)


@pytest.mark.parametrize(("key", "message", "signed_so"), VECTORS)
def test_the_standards_own_signatures_are_good(key: str, message: str, signed_so: str) -> None:
    raw = bytes.fromhex(signed_so), bytes.fromhex(message), bytes.fromhex(key)
    assert is_good(*raw)
    assert not is_good(raw[0], raw[1] + b"!", raw[2])


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_what_the_library_signs_is_good_and_with_one_bit_changed_it_is_not(
    secret: bytes, message: bytes, bit: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    public, made = key.public_key().public_bytes_raw(), key.sign(message)
    assert is_good(made, message, public)
    changed = bytearray(made)
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_good(bytes(changed), message, public)


def test_a_signature_with_another_number_for_the_same_point_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    made = SECRET.sign(b"x")
    scalar = int.from_bytes(made[32:], "little") + order
    assert not is_good(made[:32] + scalar.to_bytes(32, "little"), b"x", KEY.key)


def test_a_signature_and_a_key_come_back_as_they_were_written() -> None:
    assert signature(signed().text) == signed()
    assert public_key(KEY.text) == KEY
    assert public_key(f"untrusted comment: whatever\n{KEY.text}\n") == KEY


def test_only_a_key_that_is_trusted_counts_and_only_for_its_own_file() -> None:
    other = PublicKey(key_id=b"somebody", key=KEY.key)
    assert require_trusted(signed().text, DIGEST, [other, KEY]) == KEY
    for text, digest, keys in (
        (signed().text, digest_of([b"another release"]), [KEY]),
        (signed().text, DIGEST, [other]),
        (signed().text, DIGEST, []),
        (signed().text.replace("mine", "ours"), DIGEST, [KEY]),
        (signed(key_id=b"somebody").text, digest_of([b"x"]), [other, KEY]),
    ):
        with pytest.raises(ReleaseUntrusted):
            require_trusted(text, digest, keys)


@pytest.mark.parametrize(
    "text", ["", "RW", "x\ny\nz\n!", signed().text.replace("trusted comment: mine", "mine")]
)
def test_what_is_no_signature_is_refused_as_such(text: str) -> None:
    with pytest.raises(ReleaseUntrusted):
        signature(text)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_what_reads_keys_and_signatures(text: str) -> None:
    for read in (signature, public_key):
        with pytest.raises(ReleaseUntrusted):
            read(text)
