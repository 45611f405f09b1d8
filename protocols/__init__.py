"""The languages spoken: coordinator and agent over MQTT, host and firmware over a serial line."""
