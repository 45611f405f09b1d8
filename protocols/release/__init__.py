"""Releases of the agent, as files: what is in one, who signed it, and whether it may run here."""
