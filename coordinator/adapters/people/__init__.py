"""Ways to people: e-mail, and ntfy for their phones."""
