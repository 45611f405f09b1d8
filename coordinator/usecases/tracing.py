"""Use cases as spans: what each took, for whoever collects that."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from coordinator.usecases.farm import Farm

P = ParamSpec("P")
R = TypeVar("R")
UseCase = Callable[Concatenate[Farm, P], Coroutine[Any, Any, R]]


def traced(use_case: UseCase[P, R]) -> UseCase[P, R]:
    """Return a use case, whose first argument is the farm, which tells of itself by its name."""

    @wraps(use_case)
    async def spanned(farm: Farm, *args: P.args, **kwargs: P.kwargs) -> R:
        with farm.tracer.span(use_case.__name__):
            return await use_case(farm, *args, **kwargs)

    return cast(UseCase[P, R], spanned)
