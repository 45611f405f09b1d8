"""The farm's decisions, pure: values and time in, values and effects out."""
