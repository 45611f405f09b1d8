"""For all tests: how long an example takes depends on the machine, and proves nothing."""

from hypothesis import settings

settings.register_profile("farm", deadline=None)
settings.load_profile("farm")
