"""fal (fal.ai): many makers' models behind one queue."""
