"""Links to models: which library an address belongs to, and what lies there."""
