"""backend room."""
