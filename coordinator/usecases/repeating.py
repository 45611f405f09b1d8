"""What was made of code, made again with other values: nobody is asked to write anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from coordinator.domain.code_forms import form_in
from coordinator.domain.generations import Generation, GenerationState, Printing, Setting
from coordinator.domain.providing import Kind
from coordinator.errors import NotNow, Refused
from coordinator.usecases import generation_rows as rows
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import Wanted, check_owns, want
from coordinator.usecases.tracing import traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is to be different; as in `Asked`.

    Attributes:
        parameters: values of the form that the code asks for; others stay as they were.
        reuse: the version that the same values made before will do.
    """

    parameters: Mapping[str, Setting] = field(default_factory=dict)
    printing: Printing | None = None
    reuse: bool = True


@traced
async def again(farm: Farm, generation_id: str, variant: Variant, wanted: Wanted) -> Generation:
    """Render a generation's code anew: a further version of the same model, at no cost.

    Args:
        wanted: by whom; its provider and what it asks are the generation's.

    Raises:
        NotFound: there is none.
        NotNow: it has not ended, or made nothing.
        Refused: it has no code, or its form does not take these values; or as `want`.
    """
    async with farm.store.read() as unit:
        before = await rows.the_generation(unit, generation_id)
        check_owns(before, wanted.only_of)
        if before.state is not GenerationState.DONE or not before.versions:
            raise NotNow("generation_open", "what was asked before has brought nothing yet")
        version = await unit.model_version(*before.versions[0])
    source = farm.sources.the(before.provider)
    if version is None or not version.source_sha256 or Kind.CODE not in source.offer.kinds:
        raise Refused("no_code", f"what {source.offer.title} made has no values to be changed")
    known = {each.name for each in form_in(before.told)}
    values = before.asked.parameters if before.asked.kind is Kind.CODE else {}
    stays = {name: value for name, value in values.items() if name in known}
    asked = replace(
        before.asked,
        kind=Kind.CODE,
        prompt="",
        pictures=(),
        continues=generation_id,
        code="",  # it is that of the generation that this one continues
        parameters={**stays, **variant.parameters},
        size_mm=None,  # or the mesh would be scaled to the length that it had
        model_id=version.model_id,
        printing=variant.printing,
        reuse=variant.reuse,
        cost_max=None,
    )
    return await want(farm, replace(wanted, provider=before.provider, asked=asked))
