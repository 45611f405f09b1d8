"""A Marlin-like firmware in software: what the demo and the tests print on."""
