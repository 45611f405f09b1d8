"""Host and firmware, over a serial line: sans-IO, for agent, simulator and slicing alike."""
