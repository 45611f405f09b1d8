"""What every `Store` keeps to, of generations and of what they cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from coordinator.domain.generations import (
    ENDED,
    Asked,
    Generation,
    GenerationState,
    Parcel,
    Printing,
    Sheet,
    Trouble,
)
from coordinator.domain.ledger import Entry
from coordinator.domain.library import Place
from coordinator.domain.providing import Blame, Handle, Kind
from coordinator.ports import Store
from coordinator.ports_generations import GenerationsWanted

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
BARE = Generation(
    generation_id="gen-1",
    provider="mesh",
    service="meshy",
    owner="user:anna",
    asked=Asked(kind=Kind.TEXT, name="a hook"),
    created_at=NOW,
    updated_at=NOW,
)
FULL = replace(
    BARE,
    asked=Asked(
        kind=Kind.MULTIVIEW,
        name="ä hook",
        prompt="a hook\nfor a rail",
        pictures=(Sheet(sha256="a" * 64, media_type="image/png"),),
        continues="gen-0",
        code="cube(3);",
        parameters={"depth": 2.5, "round": True},
        url="https://models.test/1",
        mesh_sha256="b" * 64,
        size_mm=61.5,
        seed=2**40,
        options={"style": "low"},
        project_id="project-1",
        model_id="model-1",
        printing=Printing(copies=3, material="PETG", quality="fine", printer_class="mk4"),
        reuse=True,
        cost_max=Decimal("1.250000"),
        named=False,
    ),
    approved=False,
    fingerprint="c" * 64,
    state=GenerationState.RUNNING,
    handle=Handle(task_id="task-9", extra={"look": "https://x.test/1", "n": [1, None]}),
    submits=2,
    tries=3,
    looks=4,
    renewals=1,
    recalls=2,
    next_at=NOW + timedelta(seconds=3),
    submitted_at=NOW,
    deadline_at=NOW + timedelta(hours=1),
    cancel_wanted=True,
    doubtful=True,
    waits="for a slot",
    progress=0.25,
    stage="meshing",
    queue_position=7,
    parcels=(
        Parcel(
            role="mesh",
            name="m",
            suffix=".stl",
            url="https://x.test/m?key",
            size_bytes=2**40,
            expires_at=NOW,
            own=True,
            item=1,
            sha256="d" * 64,
        ),
    ),
    versions=(("model-1", 2), ("model-2", 3)),
    job_ids=("job-1", "job-1-2"),
    said="there you are",
    told={"author": "me", "seed": 5},
    remarks=("a wall is thin",),
    trouble=Trouble(
        blame=Blame.WAIT_SLOT, code="full", message="later", request_id="r-1", field="prompt"
    ),
    worker="w-1",
    leased_until=NOW + timedelta(seconds=60),
    version=9,
)


def entry(generation_id: str, amount: str, **fields: object) -> Entry:
    values: dict[str, object] = {
        "submit": 1,
        "provider": "mesh",
        "owner": "user:anna",
        "unit": "USD",
        "day": NOW.date(),
        "estimated": Decimal(amount),
        "reserved": Decimal(amount),
    }
    return Entry(generation_id=generation_id, **{**values, **fields})  # type: ignore[arg-type]


async def save(store: Store, *generations: Generation) -> None:
    async with store.write() as unit:
        for each in generations:
            await unit.save_generation(each)


async def test_a_generation_comes_back_as_it_was_saved(store: Store) -> None:
    await save(store, BARE)
    async with store.read() as unit:
        assert await unit.generation("gen-1") == BARE
        assert await unit.generation("gen-2") is None
    await save(store, FULL)
    async with store.read() as unit:
        assert await unit.generation("gen-1") == FULL


async def test_what_was_saved_in_a_broken_transaction_is_not_there(store: Store) -> None:
    try:
        async with store.write() as unit:
            await unit.save_generation(BARE)
            await unit.save_entry(entry("gen-1", "1"))
            raise KeyError
    except KeyError:
        pass
    async with store.read() as unit:
        assert await unit.generation("gen-1") is None
        assert await unit.entries("gen-1") == []


async def test_pages_are_the_newest_first_and_only_what_is_wanted(store: Store) -> None:
    made = [
        replace(
            BARE,
            generation_id=f"gen-{number}",
            owner="user:bob" if number == 2 else "user:anna",
            created_at=NOW + timedelta(seconds=number // 2),
        )
        for number in range(1, 5)
    ]
    await save(store, *made, replace(FULL, generation_id="gen-0", provider="other"))
    async with store.read() as unit:
        first = await unit.generations_page(GenerationsWanted(), after=None, limit=3)
        assert [each.generation_id for each in first] == ["gen-4", "gen-3", "gen-2"]
        place = Place(first[-1].created_at, first[-1].generation_id)
        rest = await unit.generations_page(GenerationsWanted(), after=place, limit=3)
        assert [each.generation_id for each in rest] == ["gen-1", "gen-0"]
        for wanted, ids in (
            (GenerationsWanted(owner="user:bob"), ["gen-2"]),
            (GenerationsWanted(provider="other"), ["gen-0"]),
            (GenerationsWanted(model_id="model-1"), ["gen-0"]),
            (GenerationsWanted(model_id="model-2"), ["gen-0"]),
            (GenerationsWanted(model_id="model"), []),
            (GenerationsWanted(model_id="%"), []),
            (GenerationsWanted(text="FOR A"), ["gen-0"]),
            (GenerationsWanted(text="models.test"), ["gen-0"]),
            (GenerationsWanted(text="A Hook"), ["gen-4", "gen-3", "gen-2", "gen-1", "gen-0"]),
            (GenerationsWanted(text="_ hook"), []),
            (GenerationsWanted(states=[GenerationState.RUNNING]), ["gen-0"]),
        ):
            found = await unit.generations_page(wanted, after=None, limit=9)
            assert [each.generation_id for each in found] == ids


async def test_only_what_is_due_and_free_is_found(store: Store) -> None:
    due = replace(FULL, next_at=NOW, worker="", leased_until=None)
    await save(
        store,
        due,
        replace(due, generation_id="gen-2", next_at=NOW - timedelta(seconds=1)),
        replace(due, generation_id="gen-3", next_at=NOW + timedelta(microseconds=1)),
        replace(due, generation_id="gen-4", next_at=None),
        replace(due, generation_id="gen-5", worker="w-1", leased_until=NOW),
        replace(due, generation_id="gen-6", worker="w-1", leased_until=NOW - timedelta(seconds=1)),
        replace(due, generation_id="gen-7", state=GenerationState.WANTED),
    )
    async with store.read() as unit:
        found = await unit.generations_due(NOW, limit=9)
        assert [each.generation_id for each in found] == ["gen-2", "gen-1", "gen-6"]
        assert len(await unit.generations_due(NOW, limit=2)) == 2
    async with store.write() as unit:
        await unit.free_generations("w-1")
        found = await unit.generations_due(NOW, limit=9)
        assert [each.generation_id for each in found] == ["gen-2", "gen-1", "gen-5", "gen-6"]


async def test_paid_calls_wait_in_order_of_arrival_for_each_provider(store: Store) -> None:
    waiting = replace(BARE, next_at=NOW)
    await save(
        store,
        replace(waiting, generation_id="gen-3", created_at=NOW + timedelta(seconds=2)),
        waiting,
        replace(waiting, generation_id="gen-4", provider="other"),
        replace(waiting, generation_id="gen-5", next_at=NOW + timedelta(seconds=1)),
        replace(FULL, generation_id="gen-6"),
        replace(FULL, generation_id="gen-7", state=GenerationState.UNSURE),
        replace(FULL, generation_id="gen-8", state=GenerationState.FETCHING),
    )
    async with store.read() as unit:
        found = await unit.generations_wanted("mesh", NOW, limit=9)
        assert [each.generation_id for each in found] == ["gen-1", "gen-3"]
        assert len(await unit.generations_wanted("mesh", NOW, limit=1)) == 1
        assert await unit.generations_at("mesh") == 1
        assert await unit.generations_at("other") == 0


async def test_those_that_have_not_ended_are_counted_by_owner(store: Store) -> None:
    made = [replace(FULL, generation_id=f"gen-{each}", state=each) for each in GenerationState]
    await save(store, *made, replace(BARE, generation_id="gen-bob", owner="user:bob"))
    async with store.read() as unit:
        assert await unit.generations_open("user:anna") == len(set(GenerationState) - ENDED)
        assert await unit.generations_open("user:bob") == 1
        assert await unit.generations_open("user:carl") == 0


async def test_the_newest_of_its_like_that_is_done_is_found(store: Store) -> None:
    done = replace(FULL, state=GenerationState.DONE)
    await save(
        store,
        done,
        replace(done, generation_id="gen-2", created_at=NOW + timedelta(seconds=1)),
        replace(done, generation_id="gen-3", state=GenerationState.FAILED),
        replace(done, generation_id="gen-4", versions=()),
    )
    async with store.read() as unit:
        found = await unit.generation_like("c" * 64)
        assert found is not None
        assert found.generation_id == "gen-2"
        assert await unit.generation_like("e" * 64) is None


async def test_a_task_leads_to_its_generation(store: Store) -> None:
    await save(store, FULL, replace(BARE, generation_id="gen-2"))
    async with store.read() as unit:
        assert await unit.generation_of_task("mesh", "task-9") == FULL
        assert await unit.generation_of_task("other", "task-9") is None


async def test_what_is_spent_is_what_was_charged_else_what_was_reserved(store: Store) -> None:
    yesterday = NOW.date() - timedelta(days=1)
    known = entry("gen-1", "0.300000", submit=2, charged=Decimal("0.100001"))
    async with store.write() as unit:
        await unit.save_entry(known)
        await unit.save_entry(entry("gen-1", "9"))
        await unit.save_entry(entry("gen-1", "0.200000"))  # said anew
        await unit.save_entry(entry("gen-2", "4.000000", owner="user:bob"))
        await unit.save_entry(entry("gen-3", "8.000000", provider="other"))
        await unit.save_entry(entry("gen-4", "16.000000", unit="credits"))
        await unit.save_entry(entry("gen-5", "32.000000", day=yesterday))
    async with store.read() as unit:
        assert await unit.entries("gen-1") == [entry("gen-1", "0.200000"), known]
        day = NOW.date()
        assert await unit.spent(day, unit="USD") == Decimal("12.300001")
        assert await unit.spent(day, unit="USD", provider="mesh") == Decimal("4.300001")
        assert await unit.spent(day, unit="USD", owner="user:anna") == Decimal("8.300001")
        both = await unit.spent(day, unit="USD", provider="mesh", owner="user:anna")
        assert both == Decimal("0.300001")
        assert await unit.spendings(day) == {
            ("mesh", "USD"): Decimal("4.300001"),
            ("other", "USD"): Decimal(8),
            ("mesh", "credits"): Decimal(16),
        }
        assert await unit.spent(day, unit="gold") == 0
