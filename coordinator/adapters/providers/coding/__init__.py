"""Providers whose models are code: a language model writes it, or a person, and it is rendered."""
