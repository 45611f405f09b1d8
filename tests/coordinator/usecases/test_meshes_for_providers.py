"""A mesh that a provider works on is brought in a format that it takes, before anything is paid."""

from hashlib import sha256
from pathlib import Path

import pytest

from coordinator.domain.generations import GenerationState
from coordinator.domain.providing import Blame, Kind
from tests.coordinator.usecases.generation_bench import Bench
from tests.fakes.fake_workshop import SIGN
from tests.fakes.scripted_provider import MESH, ScriptedProvider, offering

THREE_MF = b"PK\x03\x04 a 3MF"
HALF_HOUR_S = 1800.0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    kinds = frozenset({Kind.TEXT, Kind.MESH})
    offer = offering(kinds=kinds, mesh_types=(".stl",), mesh_bytes_max=100)
    return Bench(tmp_path, ScriptedProvider(offer=offer))


async def asked(bench: Bench, mesh: bytes) -> str:
    """Ask for work on a mesh that is in the store; return the generation's id."""
    digest = sha256(mesh).hexdigest()
    bench.farm.artifacts.kept[digest] = mesh  # type: ignore[attr-defined]
    return await bench.want(kind=Kind.MESH, prompt="", mesh_sha256=digest)


@pytest.mark.parametrize(("mesh", "sent"), [(MESH, MESH), (THREE_MF, SIGN + THREE_MF)])
async def test_a_mesh_is_sent_as_it_is_or_as_an_stl_where_it_would_not_be_taken(
    bench: Bench, mesh: bytes, sent: bytes
) -> None:
    its_id = await asked(bench, mesh)
    await bench.work(60)
    assert (await bench.show(its_id)).state is GenerationState.DONE
    [wish] = bench.provider.wishes
    assert wish.mesh == sent
    artifacts = bench.farm.artifacts
    assert artifacts.left_behind == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mesh", "code", "words"),
    [
        (b"<html>", "model_unsupported", "is not a model"),
        (THREE_MF + b"x" * 200, "mesh_unusable", "Scripted takes 100: make it coarser"),
        (MESH + b"\n" * 200, "mesh_unusable", "Scripted takes 100: make it coarser"),
    ],
)
async def test_a_mesh_that_can_not_be_sent_is_refused_before_it_costs(
    bench: Bench, mesh: bytes, code: str, words: str
) -> None:
    its_id = await asked(bench, mesh)
    await bench.work(60)
    ended = await bench.show(its_id)
    assert ended.state is GenerationState.FAILED
    assert ended.trouble is not None
    assert (ended.trouble.blame, ended.trouble.code) == (Blame.INVALID_INPUT, code)
    assert words in ended.trouble.message
    assert bench.provider.service.calls == []
    assert bench.spent == "0"


async def test_a_workshop_that_dies_of_a_mesh_is_asked_a_few_times(bench: Bench) -> None:
    bench.workshop.trouble = "it crashed"
    its_id = await asked(bench, THREE_MF)
    await bench.work(HALF_HOUR_S)
    ended = await bench.show(its_id)
    assert ended.trouble is not None
    assert (ended.state, ended.trouble.message) == (GenerationState.FAILED, "it crashed")
    assert bench.provider.service.calls == []


async def test_a_mesh_that_is_gone_is_told(bench: Bench) -> None:
    its_id = await bench.want(kind=Kind.MESH, prompt="", mesh_sha256="0" * 64)
    await bench.work(60)
    ended = await bench.show(its_id)
    assert ended.trouble is not None
    assert "not in the farm's store" in ended.trouble.message
