"""The farm's truth in SQLite: tables, mapping, store and migrations."""
