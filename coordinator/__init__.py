"""The farm's centre: takes orders, makes plates, assigns them, keeps the history."""
