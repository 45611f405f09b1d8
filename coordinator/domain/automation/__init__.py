"""What programs beside the farm are told over MQTT, and what they may ask there: pure."""
