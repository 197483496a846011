"""momentum room."""
