"""The farmhand command: a client of the API, and the starter of the processes."""
