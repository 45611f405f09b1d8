"""The farm as Home Assistant discovers it: devices, entities, and what it may ask; pure."""
