"""The way to the agents over MQTT: what must arrive, and telemetry beside it."""
