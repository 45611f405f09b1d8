"""Coordinator and agent, over MQTT: the messages, their topics, their bytes."""
