"""The agent's decisions, pure: data and time in, data out."""
