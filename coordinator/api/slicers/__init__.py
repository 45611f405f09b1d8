"""What slicers send plates to: the farm, in the words of the hosts that they know."""
