"""What services tell of tasks is a stranger's word: whatever it is, it is read or refused."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.providers import rodin, stability, tripo
from coordinator.adapters.providers.blaming import Reads, Reply, fault_of, number_of, read_plainly
from coordinator.adapters.providers.fal import telling as fal
from coordinator.adapters.providers.fal.models import MODELS
from coordinator.adapters.providers.fal.webhooks import keys_of
from coordinator.adapters.providers.meshy import telling as meshy
from coordinator.domain.providing import Blame, Look, Phase, Piece
from tests.coordinator.adapters.test_provider_answers import NOW

WORDS = [
    *("SUCCEEDED", "FAILED", "PENDING", "success", "failed", "queued", "Done"),
    *("http://[", "https://x.test/a.glb?b=c", "https://x.test/a.FBX", "", "nan", "1e999", "../.."),
]
KEYS = [
    *("status", "progress", "model_urls", "task_error", "consumed_credits", "printability"),
    *("stl", "glb", "url", "file_name", "content_type", "model_mesh", "model_glb", "base_model"),
    *("thumbnail", "thumbnail_url", "metrics", "detail", "error", "errors", "error_type", "type"),
    *("loc", "msg", "message", "code", "name", "output", "model_url", "error_code", "keys", "x"),
    *("crv", "preceding_tasks", "queuing_num", "credits_consumed"),
]
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text()
)
SHALLOW = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(KEYS), LEAVES)
ANYTHING = SHALLOW | st.lists(SHALLOW, max_size=2)
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6)

FILES = st.fixed_dictionaries(
    {"url": st.sampled_from(WORDS) | LEAVES},
    optional={"file_name": LEAVES, "content_type": LEAVES},
)
OUTPUTS = st.dictionaries(
    st.sampled_from(sorted({name for model in MODELS.values() for name in model.gives})),
    FILES | st.dictionaries(st.sampled_from(KEYS), FILES, max_size=3) | LEAVES,
    max_size=3,
)


def is_sound(look: Look) -> bool:
    """Whether a look says only what its phase may."""
    failed, done = look.phase is Phase.FAILED, look.phase is Phase.SUCCEEDED
    return (
        (look.fault is not None) == failed
        and (done or not look.pieces)
        and (look.progress is None or 0 <= look.progress <= 1)
        and (look.charged is None or look.charged.amount.is_finite())
    )


@given(DOCUMENTS)
def test_whatever_meshy_tells_of_a_task_is_a_look(task: dict[str, Any]) -> None:
    assert is_sound(meshy.look_of(task, "latest"))


@given(DOCUMENTS)
def test_whatever_tripo_tells_of_a_task_is_a_look(task: dict[str, Any]) -> None:
    assert is_sound(tripo.look_of(task, "v3.1"))


@given(st.sampled_from(sorted(MODELS)), OUTPUTS)
def test_whatever_a_model_at_fal_gives_its_files_have_addresses(
    name: str, output: Mapping[str, Any]
) -> None:
    pieces = fal.pieces_of(MODELS[name], output)
    assert all(isinstance(piece, Piece) and piece.url for piece in pieces)
    assert len({piece.url for piece in pieces if piece.role == "mesh"}) == len(
        [piece for piece in pieces if piece.role == "mesh"]
    )


@pytest.mark.parametrize("reads", [fal.read, tripo.read, rodin.read, stability.read, read_plainly])
@given(st.integers(200, 599), st.booleans(), ANYTHING | DOCUMENTS)
def test_whatever_an_answer_holds_is_a_fault_in_plain_words(
    reads: Reads, status: int, paid: bool, body: object
) -> None:
    reply = Reply(status=status, headers={}, body=json.dumps(body).encode(), paid=paid)
    fault = fault_of("It", reply, reads(reply), now=NOW)
    assert fault.message.isprintable()
    assert fault.code
    if status >= 500 and paid:
        assert fault.blame is not Blame.RETRY_SAFE


@given(DOCUMENTS | st.fixed_dictionaries({"keys": st.lists(DOCUMENTS)}))
def test_whatever_stands_for_keys_only_keys_are_taken(document: dict[str, Any]) -> None:
    assert all(len(key) == 32 for key in keys_of(document))


@given(ANYTHING)
def test_a_number_is_finite_or_none(value: object) -> None:
    number = number_of(value)
    assert number is None or number.is_finite()
