"""Model to G-code: runs as a child process, so that a bad mesh can't hurt the farm."""
