"""oracle room."""
