"""What follows a part down to its G-code: all that its origin tells, and nothing empty."""

from dataclasses import replace
from datetime import UTC, datetime

from coordinator.domain.library import Model, ModelVersion, Origin
from coordinator.domain.provenance import facts_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MODEL = Model(model_id="model-1", name="Hook", latest=3, created_at=NOW, updated_at=NOW)
VERSION = ModelVersion(
    model_id="model-1",
    number=3,
    sha256="a" * 64,
    file_name="hook.3mf",
    size_bytes=9,
    origin=Origin(kind="upload"),
    created_at=NOW,
)


def test_an_upload_tells_its_model_and_nothing_empty() -> None:
    assert facts_of(MODEL, VERSION) == {
        "model": "Hook",
        "model_id": "model-1",
        "version": "3",
        "sha256": "a" * 64,
        "kind": "upload",
    }


def test_a_generated_part_tells_who_made_it_of_what_and_for_how_much() -> None:
    origin = Origin(
        kind="generated", provider="meshy", service_model="meshy-6", prompt="a hook", seed=0,
        licence="CC0-1.0", cost="20 credits", parents=("b" * 64, "c" * 64),
    )  # fmt: skip
    found = facts_of(MODEL, replace(VERSION, origin=origin, language="openscad"))
    assert found["prompt"] == "a hook"
    assert found["seed"] == "0"
    assert found["parents"] == f"{'b' * 64} {'c' * 64}"
    assert (found["licence"], found["cost"], found["language"]) == (
        "CC0-1.0",
        "20 credits",
        "openscad",
    )
