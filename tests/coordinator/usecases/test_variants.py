"""Links to several parts, code made again, meshes looked at, what a request would cost."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.domain.generations import Asked, GenerationState, Printing
from coordinator.domain.ledger import Budget, Purse
from coordinator.domain.library import ModelsWanted
from coordinator.domain.policy import Policy
from coordinator.domain.providing import Kind, Look, Phase, Piece
from coordinator.errors import NotNow, NotPermitted, Refused
from coordinator.usecases import generating
from coordinator.usecases.generating import Message, Wanted
from coordinator.usecases.quoting import quote
from coordinator.usecases.repeating import Variant, again
from tests.coordinator.usecases.generation_bench import ASKED, Bench
from tests.fakes.scripted_provider import DONE, MESH, PRICE, ScriptedProvider, offering

S = GenerationState
LINK = {"kind": Kind.LINK, "url": "https://models.test/box.zip", "named": False, "name": "box.zip"}
ANNA = Wanted(provider="mesh", asked=ASKED, actor="user:anna")
FORM = [{"name": "width", "type": "number", "default": 40.0, "minimum": 10.0}]
CODED = replace(
    DONE,
    pieces=(
        Piece(role="mesh", name="m.stl", suffix=".stl", data=MESH),
        Piece(role="code", name="m.scad", suffix=".scad", data=b"cube(width);"),
    ),
    told={"language": "openscad", "parameters": FORM, "remarks": ["a wall is thin"]},
)


def parts(*names: str, title: str = "Box") -> Look:
    pieces = (
        Piece(role="mesh", name=f"{name}.stl", suffix=".stl", url=name, item=number)
        for number, name in enumerate(names)
    )
    return replace(DONE, pieces=tuple(pieces), told={"title": title}, charged=None)


async def models_of(bench: Bench) -> list[tuple[str, int]]:
    async with bench.farm.store.read() as unit:
        found = await unit.models_page(ModelsWanted(), after=None, limit=99)
    return [(each.name, each.latest) for each in found]


async def test_parts_that_a_link_leads_to_are_a_model_and_a_job_each(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(done=parts("lid", "hinge", "Box")))
    its_id = await bench.want(**LINK, printing=Printing(copies=2))
    await bench.work(30)
    made = await bench.show(its_id)
    assert (made.state, made.trouble) == (S.DONE, None)
    assert sorted(await models_of(bench)) == [("Box", 1), ("Box, hinge", 1), ("Box, lid", 1)]
    assert len(made.versions) == len(set(made.versions)) == 3
    async with bench.farm.store.read() as unit:
        jobs = {each.job_id: each for each in await unit.jobs()}
    assert set(made.job_ids) == set(jobs)
    assert [jobs[each].model_id for each in made.job_ids] == [each for each, _ in made.versions]
    assert {each.copies for each in jobs.values()} == {2}


async def test_a_part_that_can_not_be_printed_leaves_the_jobs_of_the_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(done=parts("lid", "hinge")))
    refusals = [Refused("model_too_large", "it fits nowhere")]

    async def refuse_once(*_: object, **__: object) -> None:
        if refusals:
            raise refusals.pop()

    bench.farm.slicer.inspect = refuse_once  # type: ignore[method-assign, assignment]
    its_id = await bench.want(**LINK, printing=Printing())
    await bench.work(30)
    made = await bench.show(its_id)
    assert (made.state, len(made.versions), len(made.job_ids)) == (S.DONE, 2, 1)
    assert made.remarks == ("no job was made: it fits nowhere",)


@pytest.mark.parametrize(
    ("asked", "named"), [(LINK, "Box"), ({**LINK, "named": True, "name": "mine"}, "mine")]
)
async def test_one_part_is_called_as_its_source_does_unless_somebody_named_it(
    tmp_path: Path, asked: dict[str, object], named: str
) -> None:
    bench = Bench(tmp_path, ScriptedProvider(done=parts("lid")))
    await bench.want(**asked)
    await bench.work(30)
    assert await models_of(bench) == [(named, 1)]


async def test_several_parts_are_no_one_models_next_version(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(done=parts("lid", "hinge")))
    first = await bench.want()
    await bench.work(30)
    model_id = (await bench.show(first)).versions[0][0]
    its_id = await bench.want(**LINK, model_id=model_id)
    await bench.work(30)
    failed = await bench.show(its_id)
    assert failed.trouble is not None
    assert failed.trouble.code == "several_parts"
    assert "lid.stl, hinge.stl" in failed.trouble.message


async def test_code_is_made_again_with_other_values_as_a_further_version(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(at_once=True, done=CODED))
    its_id = await bench.want()
    with pytest.raises(NotNow):
        await again(bench.farm, its_id, Variant(), ANNA)
    await bench.work(5)
    wide = await again(bench.farm, its_id, Variant(parameters={"width": 30, "old": 1}), ANNA)
    await bench.work(5)
    wish = bench.provider.wishes[-1]
    assert (wish.kind, wish.code, wish.size_mm) == (Kind.CODE, "cube(width);", None)
    wider = await again(bench.farm, wide.generation_id, Variant(printing=Printing()), ANNA)
    await bench.work(5)
    assert bench.provider.wishes[-1].parameters == {"width": 30}  # "old" is no field of the form
    versions = [(await bench.show(each)).versions[0] for each in (its_id, wide.generation_id)]
    assert [number for _, number in versions] == [1, 2]
    async with bench.farm.store.read() as unit:
        version = await unit.model_version(*versions[1])
    assert version is not None
    assert (version.parameters, version.remarks) == (
        {"width": 30, "old": 1},
        ("a wall is thin",),
    )
    assert len((await bench.show(wider.generation_id)).job_ids) == 1


async def test_a_part_that_was_scaled_keeps_its_scale_with_other_values(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, ScriptedProvider(at_once=True, done=CODED))
    its_id = await bench.want(size_mm=60.0)
    await bench.work(5)
    wide = await again(bench.farm, its_id, Variant(parameters={"width": 30}), ANNA)
    await bench.work(5)
    wider = await again(bench.farm, wide.generation_id, Variant(parameters={"width": 50}), ANNA)
    await bench.work(5)
    assert (await bench.show(wider.generation_id)).state is S.DONE
    made = [(each.longest_mm, each.scale) for each in bench.workshop.made]
    assert made == [(60.0, None), (None, 3.0), (None, 3.0)]


async def test_the_same_values_are_answered_with_the_version_that_they_made(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(at_once=True, done=CODED))
    its_id = await bench.want()
    await bench.work(5)
    made = [await again(bench.farm, its_id, Variant(), ANNA) for _ in range(1)]
    await bench.work(5)
    made += [await again(bench.farm, its_id, Variant(), ANNA)]
    made += [await again(bench.farm, its_id, Variant(reuse=False), ANNA)]
    await bench.work(5)
    numbers = [(await bench.show(each.generation_id)).versions[0][1] for each in made]
    assert numbers == [2, 2, 3]


async def test_a_conversation_after_it_knows_the_values_and_says_nothing_twice(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, ScriptedProvider(at_once=True, done=CODED))
    its_id = await bench.want()
    await bench.work(5)
    wide = await again(bench.farm, its_id, Variant(parameters={"width": 30}), ANNA)
    await bench.work(5)
    await generating.say(bench.farm, wide.generation_id, Message(prompt="rounder"), ANNA)
    await bench.work(5)
    wish = bench.provider.wishes[-1]
    assert (wish.kind, wish.parameters) == (Kind.TEXT, {"width": 30})
    assert [each.text for each in wish.conversation] == [ASKED.prompt]


async def test_what_has_no_code_or_is_somebody_elses_is_not_made_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    its_id = await bench.want()
    await bench.work(60)
    with pytest.raises(Refused, match="no values"):
        await again(bench.farm, its_id, Variant(), ANNA)
    with pytest.raises(NotPermitted):
        await again(bench.farm, its_id, Variant(), replace(ANNA, only_of="user:bob"))


async def test_a_quote_tells_price_limits_and_what_was_made_before(tmp_path: Path) -> None:
    budget = Budget(day=Decimal("0.40"), user_day=Decimal(1))
    purse = Purse(day={"USD": Decimal(5), "credits": Decimal(1)})
    bench = Bench(tmp_path, ScriptedProvider(), budget=budget, purse=purse)
    before = await quote(bench.farm, ANNA)
    assert before.cost is not None
    assert (before.cost.amount, before.objection, before.like) == (PRICE, "", None)
    assert [(each.most, each.spent) for each in before.limits] == [
        (Decimal(1), 0),
        (Decimal("0.40"), 0),
        (Decimal(5), 0),
    ]
    its_id = await bench.want()
    await bench.work(60)
    calls = len(bench.provider.service.calls)
    after = await quote(bench.farm, ANNA)
    assert after.like is not None
    assert after.like.generation_id == its_id
    assert "0.4 USD may be spent on this provider in a day, 0.25 are spent" in after.objection
    assert len(bench.provider.service.calls) == calls


async def test_what_costs_nothing_has_no_limits_and_what_is_refused_no_quote(
    tmp_path: Path,
) -> None:
    policy = Policy()
    provider = ScriptedProvider(price=None, offer=offering(needs_size=True))
    bench = Bench(tmp_path, provider, budget=Budget(day=Decimal(0)), policy=policy)
    found = await quote(bench.farm, ANNA)
    assert (found.cost, found.limits, found.objection) == (None, (), "")
    with pytest.raises(Refused):
        await quote(bench.farm, replace(ANNA, asked=Asked(kind=Kind.TEXT, name="x", prompt="x")))


async def test_an_analysis_is_a_report_on_the_version_that_was_looked_at(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(offer=offering(kinds=frozenset(Kind))))
    first = await bench.want()
    await bench.work(30)
    [(model_id, number)] = (await bench.show(first)).versions
    async with bench.farm.store.read() as unit:
        version = await unit.model_version(model_id, number)
    assert version is not None
    asked = {"kind": Kind.MESH, "model_id": model_id, "mesh_sha256": version.sha256}
    report = {"status": "warning", "holes": 2}
    bench.provider.done = Look(phase=Phase.SUCCEEDED, said="2 holes", told={"report": report})
    for at_once in (False, True):
        bench.provider.at_once = at_once
        its_id = await bench.want(**asked, printing=Printing())
        await bench.work(30)
        looked = await bench.show(its_id)
        assert (looked.state, looked.said, looked.trouble) == (S.DONE, "2 holes", None)
        assert (looked.versions, looked.job_ids) == (((model_id, number),), ())
        assert looked.told["report"] == report


async def test_a_mesh_that_is_mended_keeps_its_size_and_becomes_the_next_version(
    tmp_path: Path,
) -> None:
    offer = offering(kinds=frozenset(Kind), needs_size=True)
    bench = Bench(tmp_path, ScriptedProvider(offer=offer))
    first = await bench.want(size_mm=61.5)
    await bench.work(30)
    [(model_id, _)] = (await bench.show(first)).versions
    async with bench.farm.store.read() as unit:
        version = await unit.model_version(model_id, 1)
    assert version is not None
    mesh = {"kind": Kind.MESH, "model_id": model_id, "mesh_sha256": version.sha256}
    its_id = await bench.want(**mesh, size_mm=None)
    await bench.work(30)
    assert (await bench.show(its_id)).versions == ((model_id, 2),)
    assert bench.workshop.made[-1].longest_mm == 61.5


async def test_what_is_in_our_store_is_removed_there_where_the_settings_say_so(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    tasks = bench.provider.service.tasks
    kept = await bench.want()
    await bench.work(30)
    assert len(tasks) == 1
    bench.source.deletes = bench.provider
    removed = await bench.want()
    await bench.work(30)
    states = [(await bench.show(each)).state for each in (kept, removed)]
    assert (states, list(tasks)) == ([S.DONE, S.DONE], ["task-1"])
