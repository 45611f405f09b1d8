"""Generators on servers of the operator's own: any that speaks HTTP, by configuration; ComfyUI."""
