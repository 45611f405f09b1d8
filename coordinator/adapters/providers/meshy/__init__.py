"""Meshy (docs.meshy.ai): text, pictures and meshes to meshes."""
