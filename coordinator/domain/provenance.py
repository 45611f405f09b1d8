"""Where a part came from, as short facts: what follows it down to its G-code."""

from coordinator.domain.library import Model, ModelVersion


def facts_of(model: Model, version: ModelVersion) -> dict[str, str]:
    """Return name -> text, for people and for whoever has to account for a part; no empty ones."""
    origin = version.origin
    facts = {
        "model": model.name,
        "model_id": model.model_id,
        "version": str(version.number),
        "sha256": version.sha256,
        "kind": origin.kind,
        "provider": origin.provider,
        "service": origin.service,
        "service_model": origin.service_model,
        "generation_id": origin.generation_id,
        "prompt": origin.prompt,
        "seed": "" if origin.seed is None else str(origin.seed),
        "url": origin.url,
        "author": origin.author,
        "licence": origin.licence,
        "cost": origin.cost,
        "tool": origin.tool,
        "language": version.language,
        "source_sha256": version.source_sha256,
        "parents": " ".join(origin.parents),
    }
    return {name: value for name, value in facts.items() if value}
