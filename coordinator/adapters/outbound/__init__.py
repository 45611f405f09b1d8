"""What the farm says to, and fetches from, addresses that people name."""
