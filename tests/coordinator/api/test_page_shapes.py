"""What the page takes the API's answers for is what they are."""

import pytest

from coordinator.dashboard.build_page import SOURCE
from coordinator.dashboard.describe_shapes import SHAPES, described


@pytest.mark.skipif(
    not (SOURCE / "node_modules").is_dir(), reason="the page was never built here: ./farmhand setup"
)
def test_the_shapes_that_the_page_was_written_against_are_those_of_the_api() -> None:
    assert SHAPES.read_text() == described(), "run make shapes"
