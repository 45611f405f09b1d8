"""The routes beside a plain request: what it would cost, and what was made of code made again."""

from dataclasses import replace

from aiohttp import web

from coordinator.api.asking import FARM, taken
from coordinator.api.generation_documents import (
    GenerationDocument,
    QuoteDocument,
    quote_document,
)
from coordinator.api.generation_forms import (
    NewGenerationForm,
    VariantForm,
    asked_of,
    printing_of,
)
from coordinator.api.generations import (
    GENERATION,
    GENERATIONS,
    WISH,
    created,
    its_id,
    limit,
    made_once,
    wanted_by,
)
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.usecases import repeating
from coordinator.usecases.quoting import quote
from coordinator.usecases.repeating import Variant
from coordinator.usecases.sheets import sheets_of


async def estimate(request: web.Request) -> web.Response:
    """Return what a request would cost at most, and what may be spent; nothing is made."""
    farm, form = request.app[FARM], taken(request, NewGenerationForm)
    asked = asked_of(form, await sheets_of(farm, form.pictures))
    wanted = replace(wanted_by(request), provider=form.provider, asked=asked)
    found = await quote(farm, wanted)
    return web.json_response(quote_document(found, mine=wanted.only_of))


async def again(request: web.Request) -> web.Response:
    """Render a generation's code with other values: a further version, which costs nothing."""
    limit(request)
    farm, form = request.app[FARM], taken(request, VariantForm)
    variant = Variant(
        parameters=dict(form.parameters), printing=printing_of(form.print), reuse=form.reuse
    )
    wanted = wanted_by(request)

    async def make(generation_id: str) -> web.Response:
        named = replace(wanted, generation_id=generation_id)
        return await created(request, await repeating.again(farm, its_id(request), variant, named))

    return await made_once(request, make)


ROUTES = (
    Route(
        method="POST",
        path=f"{GENERATIONS}/estimate",
        handler=estimate,
        needs=Permission.JOBS_SUBMIT,
        takes=NewGenerationForm,
        gives=QuoteDocument,
        problems=(*WISH, "no_estimate"),
    ),
    Route(
        method="POST",
        path=f"{GENERATION}/again",
        handler=again,
        needs=Permission.JOBS_SUBMIT,
        takes=VariantForm,
        gives=GenerationDocument,
        status=201,
        problems=(
            "unknown_generation",
            *WISH,
            "generation_open",
            "no_code",
            "not_your_generation",
        ),
        once=True,
        versioned=True,
    ),
)
