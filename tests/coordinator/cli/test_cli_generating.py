"""`farmhand generate` and `farmhand provider` against a served farm."""

from pathlib import Path

import pytest

from coordinator.cli.exits import Exit, UsageWrong
from coordinator.cli.generating import millimetres
from coordinator.domain.providing import Blame, Kind, ProviderFault
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.coordinator.cli.conftest import Farmhand
from tests.coordinator.usecases.generation_bench import worked
from tests.coordinator.usecases.test_variants import CODED
from tests.fakes.scripted_provider import ScriptedProvider, offering
from tests.fakes.served_farm import ServedFarm

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(offer=offering(look_every_s=0.0))


@pytest.fixture
def farm(tmp_path: Path, provider: ScriptedProvider) -> ServedFarm:
    return ServedFarm(tmp_path, sources=Sources([Source(name="mesh", provider=provider)]))


async def test_a_prompt_is_enough_and_options_come_before_or_behind_it(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    words = ("--print", "--material", "PETG", "--copies", "2", "--no-watch", "--json")
    made = (await farmhand("generate", "a hook", "--size", "6cm", *words)).json
    assert (made["prompt"], made["size_mm"], made["print"]["copies"]) == ("a hook", 60.0, 2)
    before = (await farmhand("generate", "--no-watch", "--provider", "mesh", "a clip")).out
    assert ": wanted" in before
    assert "a hook" in (await farmhand("generate", "ls")).out
    await worked(Producer(farm.farm, "w-1"))
    shown = await farmhand("generate", "show", made["id"])
    assert "cost: 0.25 USD" in shown.out
    assert "job: job-" in shown.out


async def test_a_picture_options_and_code_are_sent_along(
    tmp_path: Path, farm: ServedFarm, provider: ScriptedProvider, farmhand: Farmhand
) -> None:
    picture, code = tmp_path / "hook.png", tmp_path / "hook.scad"
    picture.write_bytes(PNG)
    code.write_text("cube(3);")
    sent = await farmhand("generate", "--picture", str(picture), "--no-watch")
    assert sent.code == Exit.OK, sent.err
    words = ("--set", "depth=2.5", "--set", "round=true", "--option", "style=low", "--no-watch")
    sent = await farmhand("generate", "--code", str(code), "--name", "clip", *words)
    assert sent.code == Exit.OK, sent.err
    await worked(Producer(farm.farm, "w-1"))
    first, second = provider.wishes
    assert first.pictures[0].data == PNG
    assert (second.code, second.options) == ("cube(3);", {"style": "low"})
    assert second.parameters == {"depth": 2.5, "round": True}


async def test_a_batch_of_pictures_becomes_a_model_of_each(
    tmp_path: Path, farm: ServedFarm, provider: ScriptedProvider, farmhand: Farmhand
) -> None:
    sheets = [tmp_path / f"cup-{number}.png" for number in range(3)]
    for number, sheet in enumerate(sheets):
        sheet.write_bytes(PNG + bytes([number]))
    words = ("--size", "60mm", "--option", "style=low", "--no-watch")
    sent = await farmhand("generate", "batch", *map(str, sheets), *words)
    assert sent.code == Exit.OK, sent.err
    assert [f"cup-{number}" in sent.out for number in range(3)] == [True] * 3
    await worked(Producer(farm.farm, "w-1"))
    assert [wish.kind for wish in provider.wishes] == [Kind.IMAGE] * 3
    assert {wish.pictures[0].data for wish in provider.wishes} == {
        sheet.read_bytes() for sheet in sheets
    }
    assert {wish.size_mm for wish in provider.wishes} == {60.0}
    made = (await farmhand("generate", "ls", "--json")).json
    assert sorted(each["name"] for each in made) == ["cup-0", "cup-1", "cup-2"]
    many = await farmhand("generate", "batch", *[str(sheets[0])] * 26)
    assert many.code == Exit.USAGE
    assert "at most 25" in many.err


async def test_it_is_watched_to_its_end_and_a_failure_has_its_own_exit(
    farm: ServedFarm, provider: ScriptedProvider, farmhand: Farmhand
) -> None:
    provider.before = [ProviderFault(Blame.CONTENT_BLOCKED, "blocked", "it is not wanted there")]
    made = (await farmhand("generate", "a hook", "--no-watch", "--json")).json
    await worked(Producer(farm.farm, "w-1"))
    watched = await farmhand("generate", "watch", made["id"])
    assert watched.code == Exit.JOB_FAILED
    assert "it is not wanted there" in watched.err


async def test_a_lost_answer_is_settled_and_a_conversation_goes_on(
    farm: ServedFarm, provider: ScriptedProvider, farmhand: Farmhand
) -> None:
    provider.after = [ProviderFault(Blame.SUBMIT_UNSURE, "reset", "the connection broke")]
    its_id = (await farmhand("generate", "a hook", "--no-watch", "--json")).json["id"]
    await worked(Producer(farm.farm, "w-1"))
    assert "a person has to say" in (await farmhand("generate", "show", its_id)).out
    settled = await farmhand("generate", "settle", its_id, "happened", "--task", "task-1")
    assert "running" in settled.out
    await worked(Producer(farm.farm, "w-1"))
    more = await farmhand("generate", "chat", its_id, "rounder", "--no-watch", "--json")
    assert more.json["continues"] == its_id
    cancelled = await farmhand("generate", "cancel", more.json["id"])
    assert "cancelled" in cancelled.out


async def test_providers_are_listed_and_asked_how_they_are(farmhand: Farmhand) -> None:
    assert "Scripted" in (await farmhand("provider", "ls")).out
    shown = (await farmhand("provider", "show", "mesh")).out
    assert "balance: 9 USD" in shown
    assert "how it looks" in shown


@pytest.mark.parametrize(("text", "mm"), [("60", 60), ("60mm", 60), ("2.5 cm", 25), ("2in", 50.8)])
def test_lengths_are_read_with_their_units(text: str, mm: float) -> None:
    assert millimetres(text) == pytest.approx(mm)


def test_what_is_no_length_is_refused() -> None:
    with pytest.raises(UsageWrong):
        millimetres("long")


async def test_what_it_would_cost_is_said_before_it_is_asked_for(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    said = (await farmhand("generate", "a hook", "--estimate")).out
    assert "mesh: at most 0.25 USD" in said
    assert "no generations" in (await farmhand("generate", "ls")).out
    await farmhand("generate", "a hook", "--no-watch")
    await worked(Producer(farm.farm, "w-1"))
    assert "--reuse takes that" in (await farmhand("generate", "a hook", "--estimate")).out
    assert "a hook" in (await farmhand("generate", "ls", "--mine", "--text", "HOOK")).out
    assert "no generations" in (await farmhand("generate", "ls", "--text", "clip")).out


async def test_one_code_made_model_serves_many_sizes(
    farm: ServedFarm, provider: ScriptedProvider, farmhand: Farmhand
) -> None:
    provider.at_once, provider.done = True, CODED
    made = (await farmhand("generate", "a clip", "--no-watch", "--json")).json
    await worked(Producer(farm.farm, "w-1"))
    assert "values (--set): width=40" in (await farmhand("generate", "show", made["id"])).out
    words = ("--set", "width=30", "--print", "--no-watch", "--json")
    wide = (await farmhand("generate", "again", made["id"], *words)).json
    await worked(Producer(farm.farm, "w-1"))
    shown = (await farmhand("generate", "show", wide["id"])).out
    assert "values (--set): width=30" in shown
    assert "/2" in shown
    assert "job: job-" in shown


async def test_a_mesh_of_a_model_is_worked_on(
    farm: ServedFarm, provider: ScriptedProvider, farmhand: Farmhand
) -> None:
    provider.offer = offering(look_every_s=0.0, kinds=frozenset(Kind))
    made = (await farmhand("generate", "a clip", "--no-watch", "--json")).json
    await worked(Producer(farm.farm, "w-1"))
    model = (await farmhand("generate", "show", made["id"], "--json")).json["made"][0]["model_id"]
    words = ("--mesh", f"{model}/1", "--option", "operation=repair", "--no-watch", "--json")
    said = await farmhand("generate", "new", *words)
    assert said.json["kind"] == "mesh"
    assert provider.wishes[-1].mesh_sha256 == ""
    await worked(Producer(farm.farm, "w-1"))
    assert provider.wishes[-1].mesh_sha256 == said.json["mesh_sha256"] != ""
    done = (await farmhand("generate", "show", said.json["id"], "--json")).json
    assert [(each["model_id"], each["version"]) for each in done["made"]] == [(model, 2)]
