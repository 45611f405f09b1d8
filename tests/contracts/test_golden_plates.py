"""Every engine makes of real models what it made before; see `tests/golden/renew_plates.py`."""

import json

import pytest

from slicing.errors import EngineMissing
from slicing.registry import engine_names
from tests.golden.renew_plates import MODELS, facts, path_of


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("engine", engine_names())
def test_a_model_becomes_the_plate_that_it_always_became(engine: str, model: str) -> None:
    try:
        path = path_of(engine)
    except EngineMissing as missing:
        pytest.skip(f"{engine} is not installed: {missing}")
    if not path.exists():
        known = ", ".join(sorted(each.stem for each in path.parent.glob(f"{engine}-*.json")))
        pytest.skip(f"no golden plates of {path.stem}, only of {known or 'no version'}")
    assert facts(engine, MODELS[model]) == json.loads(path.read_text())[model]
