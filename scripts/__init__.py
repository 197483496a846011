"""scripts room."""
