"""Generations from the wish to the version, on a scripted provider with a till."""

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.domain.generations import GenerationState, Printing
from coordinator.domain.policy import Policy
from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Kind,
    Piece,
    ProviderFault,
)
from coordinator.errors import NotNow, Refused
from coordinator.usecases import generating
from coordinator.usecases.generating import Message, Wanted
from coordinator.usecases.sources import Source, Sources
from tests.coordinator.usecases.generation_bench import ASKED, Bench
from tests.fakes.scripted_provider import DONE, MESH, PRICE, RUNNING, ScriptedProvider, offering

S = GenerationState
HALF_HOUR_S = 1800.0


def fault(blame: Blame, code: str = "code", after_s: float | None = None) -> ProviderFault:
    return ProviderFault(blame, code, "words", after_s=after_s)


async def test_a_wish_becomes_a_version_that_tells_where_it_came_from(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(looks=(RUNNING, RUNNING)))
    its_id = await bench.want()
    assert bench.provider.service.calls == []
    await bench.work(60)
    done = await bench.show(its_id)
    assert (done.state, done.trouble, done.worker) == (S.DONE, None, "")
    [(model_id, number)] = done.versions
    async with bench.farm.store.read() as unit:
        version = await unit.model_version(model_id, number)
        model = await unit.model(model_id)
    assert model is not None
    assert (model.name, model.owner, model.latest) == ("a hook", "user:anna", 1)
    assert version is not None
    assert version.file_name == "a-hook.3mf"
    assert bench.farm.artifacts.kept[version.sha256] == MESH  # type: ignore[attr-defined]
    assert version.pictures.keys() == {"model-64"}
    origin = version.origin
    assert (origin.kind, origin.provider, origin.service) == ("generated", "mesh", "scripted")
    assert (origin.service_model, origin.prompt) == ("scripted-1", ASKED.prompt)
    assert (origin.cost, origin.generation_id) == ("0.25 USD", its_id)
    assert len(origin.parents) == 1
    assert bench.workshop.made[0].longest_mm == 60.0
    assert bench.spent == "0.250000"


async def test_every_file_that_is_kept_has_a_row_and_nothing_is_left_behind(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(at_once=True))
    await bench.want()
    await bench.work(5)
    artifacts = bench.farm.artifacts
    assert artifacts.kept.keys() == bench.store.tables.artifacts.keys()  # type: ignore[attr-defined]
    assert artifacts.left_behind == []  # type: ignore[attr-defined]


async def test_history_tells_each_step_with_who_and_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    its_id = await bench.want()
    await bench.work(60)
    async with bench.farm.store.read() as unit:
        told = [(each.name, each.actor) for each in await unit.history("generation", its_id)]
    steps = ("wanted", "submitting", "running", "fetching", "making", "done")
    names = [f"generation.{step}" for step in steps]
    assert told == list(zip(names, ["user:anna"] + ["farm"] * 5, strict=True))


async def test_a_provider_that_answers_at_once_needs_no_look_and_no_address(tmp_path: Path) -> None:
    piece = Piece(role="mesh", name="m.stl", suffix=".stl", data=MESH)
    code = Piece(role="code", name="m.scad", suffix=".scad", data=b"cube(3);")
    done = replace(DONE, pieces=(piece, code), said="a cube", told={"language": "openscad"})
    bench = Bench(tmp_path, ScriptedProvider(at_once=True, done=done))
    its_id = await bench.want()
    await bench.work_now()
    made = await bench.show(its_id)
    assert (made.state, made.said) == (S.DONE, "a cube")
    async with bench.farm.store.read() as unit:
        version = await unit.model_version(*made.versions[0])
    assert version is not None
    assert version.language == "openscad"
    assert bench.farm.artifacts.kept[version.source_sha256] == b"cube(3);"  # type: ignore[attr-defined]


async def test_a_further_message_has_the_code_and_what_was_said_and_adds_a_version(
    tmp_path: Path,
) -> None:
    piece = Piece(role="mesh", name="m.stl", suffix=".stl", data=MESH)
    code = Piece(role="code", name="m.scad", suffix=".scad", data=b"cube(3);")
    done = replace(DONE, pieces=(piece, code), said="a cube")
    bench = Bench(tmp_path, ScriptedProvider(at_once=True, done=done))
    its_id = await bench.want()
    early = Wanted(provider="", asked=ASKED, actor="user:anna")
    with pytest.raises(NotNow):
        await generating.say(bench.farm, its_id, Message(prompt="rounder"), early)
    await bench.work_now()
    more = await generating.say(bench.farm, its_id, Message(prompt="rounder"), early)
    await bench.work_now()
    wish = bench.provider.wishes[-1]
    assert (wish.prompt, wish.code) == ("rounder", "cube(3);")
    assert [(each.speaker, each.text) for each in wish.conversation] == [
        ("user", ASKED.prompt),
        ("assistant", "a cube"),
    ]
    first, second = await bench.show(its_id), await bench.show(more.generation_id)
    assert second.versions == ((first.versions[0][0], 2),)


async def test_several_items_of_one_task_are_several_versions(tmp_path: Path) -> None:
    pieces = tuple(
        Piece(role="mesh", name=f"m{n}.stl", suffix=".stl", url="x", item=n) for n in range(3)
    )
    bench = Bench(tmp_path, ScriptedProvider(done=replace(DONE, pieces=pieces)))
    its_id = await bench.want()
    await bench.work(30)
    made = await bench.show(its_id)
    assert [number for _, number in made.versions] == [1, 2, 3]
    assert len({model for model, _ in made.versions}) == 1


async def test_an_expired_address_is_asked_for_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(fetches=[fault(Blame.EXPIRED)] * 2))
    its_id = await bench.want()
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE
    assert len(bench.provider.service.calls) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<!doctype html><html>log in", "not_a_mesh"),
        (b"", "empty_file"),
        (b"\x89PNG\r\n\x1a\n....", "not_a_mesh"),
    ],
)
async def test_what_is_no_mesh_is_not_taken_for_one(tmp_path: Path, data: bytes, code: str) -> None:
    bench = Bench(tmp_path, ScriptedProvider(files={"hook": data}))
    its_id = await bench.want()
    await bench.work(60)
    failed = await bench.show(its_id)
    assert failed.state is S.FAILED
    assert failed.trouble is not None
    assert failed.trouble.code == code
    assert bench.farm.artifacts.kept == {}  # type: ignore[attr-defined]


async def test_a_success_without_a_mesh_is_a_failure(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(done=replace(DONE, pieces=())))
    its_id = await bench.want()
    await bench.work(60)
    failed = await bench.show(its_id)
    assert failed.state is S.FAILED
    assert failed.trouble is not None
    assert failed.trouble.code == "no_mesh"


async def test_a_workshop_that_is_away_is_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    bench.workshop.trouble = "it crashed"
    its_id = await bench.want()
    await bench.work(2)
    waiting = await bench.show(its_id)
    assert (waiting.state, waiting.waits, waiting.stage) == (S.MAKING, "it crashed", "")
    bench.workshop.trouble = ""
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE
    assert len(bench.provider.service.calls) == 1


async def test_a_job_is_made_once_where_one_was_wanted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    printing = Printing(copies=2, material="PETG", printer_class="farmhand-220")
    its_id = await bench.want(printing=printing)
    await bench.work(60)
    done = await bench.show(its_id)
    async with bench.farm.store.read() as unit:
        [job] = await unit.jobs()
    assert (done.state, done.job_ids) == (S.DONE, (job.job_id,))
    assert (job.copies, job.material, job.owner) == (2, "PETG", "user:anna")


async def test_a_job_that_is_refused_leaves_the_model_and_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())

    async def refuse(*_: object, **__: object) -> None:
        raise Refused("model_too_large", "it fits nowhere")

    bench.farm.slicer.inspect = refuse  # type: ignore[method-assign, assignment]
    its_id = await bench.want(printing=Printing())
    await bench.work(60)
    done = await bench.show(its_id)
    assert (done.state, done.job_ids, len(done.versions)) == (S.DONE, (), 1)
    assert done.remarks[-1] == "no job was made: it fits nowhere"


async def test_what_has_to_be_approved_waits_for_it(tmp_path: Path) -> None:
    policy = Policy(approve_generations=True)
    bench = Bench(tmp_path, ScriptedProvider(), policy=policy)
    approved, rejected = [await bench.want(printing=Printing()) for _ in range(2)]
    await bench.work(60)
    assert (await bench.show(approved)).state is S.AWAITING_APPROVAL
    await generating.approve(bench.farm, approved, "user:boss")
    await generating.reject(bench.farm, rejected, "user:boss", reason="too thin")
    await bench.work(60)
    assert (await bench.show(approved)).state is S.DONE
    no = await bench.show(rejected)
    assert no.state is S.CANCELLED
    assert no.trouble is not None
    assert no.trouble.message == "too thin"
    async with bench.farm.store.read() as unit:
        assert len(await unit.jobs()) == 1
    with pytest.raises(NotNow):
        await generating.approve(bench.farm, approved, "user:boss")


async def test_geometry_with_faults_is_not_printed_before_somebody_looked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    bench.workshop.faults = ("it is open",)
    its_id = await bench.want(printing=Printing())
    await bench.work(60)
    waiting = await bench.show(its_id)
    assert (waiting.state, waiting.remarks[0]) == (S.AWAITING_APPROVAL, "it is open")


async def test_the_same_again_is_answered_from_what_exists_where_that_will_do(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    first = await bench.want()
    await bench.work(60)
    again = await bench.want("user:bob", reuse=True, printing=Printing())
    other = await bench.want(reuse=True, prompt="something else")
    anew = await bench.want()
    await bench.work(60)
    assert (await bench.show(again)).versions == (await bench.show(first)).versions
    assert (await bench.show(again)).job_ids
    assert len({(await bench.show(each)).versions for each in (first, other, anew)}) == 3
    assert bench.provider.service.till == 3 * PRICE
    for _ in range(2):
        newest = await bench.want(reuse=True)
        await bench.work(60)
    reused = [each for each in (await bench.show(newest)).remarks if "used again" in each]
    assert len(reused) == 1, "what it was used for before is no matter"


async def test_cancelling_ends_it_with_what_the_provider_says_of_the_charge(
    tmp_path: Path,
) -> None:
    for calls_off, spent in ((CallingOff.DONE, "0.000000"), (CallingOff.REFUSED, "0.250000")):
        provider = ScriptedProvider(looks=(RUNNING,) * 99, calls_off=calls_off)
        bench = Bench(tmp_path, provider)
        its_id = await bench.want()
        await bench.work(5)
        await generating.cancel(bench.farm, its_id, "user:anna", only_of="user:anna")
        await bench.work(5)
        assert (await bench.show(its_id)).state is S.CANCELLED
        assert bench.spent == spent
        with pytest.raises(NotNow):
            await generating.cancel(bench.farm, its_id, "user:anna")


async def test_a_task_that_takes_too_long_is_called_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(looks=(RUNNING,) * 9999))
    its_id = await bench.want()
    await bench.work(1200)
    failed = await bench.show(its_id)
    assert failed.state is S.FAILED
    assert failed.trouble is not None
    assert failed.trouble.blame is Blame.DEADLINE
    assert bench.spent == "0.000000"


async def test_a_hint_has_the_task_looked_at_now(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(offer=offering(look_every_s=3600.0)))
    its_id = await bench.want()
    await bench.work(5)
    assert (await bench.show(its_id)).state is S.RUNNING
    await generating.hinted(bench.farm, bench.source, ["task-1", "task-77"])
    await bench.work(5)
    assert (await bench.show(its_id)).state is S.DONE


def test_without_a_name_the_only_provider_that_takes_such_a_wish_is_meant(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    linking = ScriptedProvider(offer=offering(kinds=frozenset({Kind.LINK})))
    sources = Sources([bench.source, Source(name="links", provider=linking)])
    farm = replace(bench.farm, sources=sources)
    assert generating.source_of(farm, "", Kind.TEXT).name == "mesh"
    with pytest.raises(Refused, match="there is mesh, links"):
        generating.source_of(farm, "", Kind.LINK)


async def test_what_a_provider_does_not_take_is_refused_before_there_is_a_row(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, ScriptedProvider(offer=offering(needs_size=True)))
    for changed, code in (
        ({"prompt": ""}, "wish_not_met"),
        ({"size_mm": None}, "size_needed"),
        ({"kind": Kind.MESH}, "wish_not_met"),
    ):
        with pytest.raises(Refused) as refused:
            await bench.want(**changed)  # type: ignore[arg-type]
        assert refused.value.code == code
    assert bench.store.tables.generated.generations == {}
