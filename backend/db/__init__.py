"""The database: its migrations and the pool of connections every other part of the backend uses."""
