"""Providers of models: one file each, made by entry points of `farmhand.providers`."""
