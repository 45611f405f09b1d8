"""An MQTT broker that comes with the coordinator and goes with it."""
