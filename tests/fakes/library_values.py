"""Plain values of the library, to be varied with `replace`."""

from datetime import UTC, datetime, timedelta

from coordinator.domain.library import Model, ModelVersion, Origin, Project

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)

PROJECT = Project(
    project_id="project-1", name="Rover", owner="user:anna", created_at=NOW, updated_at=NOW
)
MODEL = Model(
    model_id="model-1",
    name="Wheel hub",
    project_id=PROJECT.project_id,
    owner="user:anna",
    tags=("für draußen", "spare"),
    latest=1,
    created_at=NOW,
    updated_at=LATER,
    version=2,
)
VERSION = ModelVersion(
    model_id=MODEL.model_id,
    number=1,
    sha256="a" * 64,
    file_name="hub.3mf",
    size_bytes=1234,
    triangles=12,
    size_mm=(10.0, 20.5, 3.0),
    source_sha256="b" * 64,
    language="openscad",
    parameters={"wall": 1.2, "holes": 4, "round": True, "name": "x"},
    remarks=("a hole was closed",),
    pictures={"model-256": "c" * 64},
    origin=Origin(
        kind="generated",
        generation_id="generation-1",
        provider="meshy",
        service="meshy",
        service_model="meshy-6",
        prompt="a hub ⚙",
        seed=7,
        url="https://example.org/hub",
        author="Bert",
        licence="CC-BY-4.0",
        cost="20 credits",
        tool="openscad 2025.01.19",
        parents=("d" * 64,),
        facts={"polycount": 12},
    ),
    note="first",
    author="user:anna",
    created_at=LATER,
)
