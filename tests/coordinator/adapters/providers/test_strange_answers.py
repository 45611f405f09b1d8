"""Whatever a server answers: values or faults come of it, fit to be stored, and no other error."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coordinator.adapters.providers.blaming import Reply, clean
from coordinator.adapters.providers.links.choosing import models_of
from coordinator.adapters.providers.links.library import Library
from coordinator.adapters.providers.links.myminifactory import MyMiniFactory
from coordinator.adapters.providers.links.options import LinkOptions
from coordinator.adapters.providers.links.printables import Printables
from coordinator.adapters.providers.links.sketchfab import Sketchfab
from coordinator.adapters.providers.links.thingiverse import Thingiverse
from coordinator.adapters.providers.own_server.comfyui_answers import (
    messages_of,
    pieces_of,
    place_in,
    spoken_of,
)
from coordinator.adapters.providers.own_server.options import OwnServerOptions
from coordinator.adapters.providers.own_server.presets import with_preset
from coordinator.adapters.providers.own_server.reading import Reader, spoken_in
from coordinator.domain.providing import Cost, Phase, Piece, ProviderFault
from coordinator.ports_providers import Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.manual_clock import ManualClock

NAMES = re.findall(
    r"\S+",
    """id name url error code message status progress queue_position artifacts size data cost
    seconds creator license licenses download_url price value currency files items
    filename type designer username isDownloadable glb expires user stls premium
    getDownloadLink ok output link errors print queue_running queue_pending status_str
    messages node_errors details 3d images subfolder displayName fullName label
    publicUsername""",
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 1, 10**400, 1e300, float("nan"), float("-inf"), 0.5, "0.00", "4.5"])
    | st.sampled_from(["", "a.stl", "http://x/b.3mf", "\ud800.stl", "\0", "succeeded", "x" * 999])
)
DOCUMENTS = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=9)
    ),
    max_leaves=25,
)
PATIENT = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def fit_to_be_stored(*values: object) -> None:
    for value in values:
        repr(value)
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()


def check(piece: Piece) -> None:
    fit_to_be_stored(piece.name, piece.url, piece.suffix)
    assert piece.size_bytes is None or piece.size_bytes > 0


@given(DOCUMENTS)
def test_a_configured_server_may_answer_what_it_likes(document: Any) -> None:
    _, options = with_preset(
        "box",
        {"preset": "farm-gen-v1", "base_url": "http://x", "auth": "none"}
        | {"cost": {"per_s": "0.1", "seconds": "/cost/seconds"}},
    )
    reader = Reader(title="box", options=OwnServerOptions.model_validate(options))
    look = reader.look(document)
    assert look.progress is None or 0 <= look.progress <= 1
    assert look.charged is None or look.charged.amount >= 0
    fit_to_be_stored(str(look.fault or ""))
    assert (look.fault is not None) == (look.phase is Phase.FAILED)
    for piece in reader.pieces(document, "http://x/jobs/1"):
        check(piece)
    fit_to_be_stored(clean(spoken_in(reader.options.words, document).message))
    assert isinstance(reader.charged(document), Cost | None)


@given(DOCUMENTS)
@example({"9": {"result": ["\ud800.stl"]}})
@example({"queue_pending": [[10**400, "a.stl"], [float("nan"), "b"]]})
def test_comfyui_may_answer_what_it_likes(document: Any) -> None:
    assert place_in(document, "a.stl") in (None, 0, *range(1, 10))
    messages_of(document)
    for piece in pieces_of(document, (), "http://x"):
        check(piece)
    body = json.dumps(document).encode()
    fit_to_be_stored(clean(spoken_of(Reply(status=400, headers={}, body=body)).message))


@pytest.mark.parametrize("kind", [Thingiverse, MyMiniFactory, Sketchfab, Printables])
@PATIENT
@given(documents=st.tuples(DOCUMENTS, DOCUMENTS), data=st.booleans())
def test_a_library_may_answer_what_it_likes(
    kind: Any, documents: tuple[Any, Any], data: bool, tmp_path: Path
) -> None:
    tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(tmp_path), folder=tmp_path)
    options = getattr(LinkOptions(), kind.__name__.lower())
    library: Library = kind(options, "key", tools)
    left = [{"data": each} if data else each for each in documents]

    async def call(*asked: Any, **more: Any) -> Reply:
        return Reply(status=200, headers={}, body=json.dumps(left.pop(0)).encode())

    library.api.call = call  # type: ignore[method-assign]
    try:
        found = asyncio.run(library.find("1", lambda name: True))
        fit_to_be_stored(*found.told(library.name).values())
        for piece in models_of(found.files, wanted="", models_max=8):
            check(piece)
    except ProviderFault as fault:
        fit_to_be_stored(fault.message, fault.code)
