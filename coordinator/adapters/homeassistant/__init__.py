"""Programs beside the farm, and Home Assistant, at a broker."""
