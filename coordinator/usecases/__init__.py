"""Async verbs: load, decide with the domain, commit, perform."""
