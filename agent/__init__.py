"""The daemon beside the printers: it streams, watches, remembers and reports."""
