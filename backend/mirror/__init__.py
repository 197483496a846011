"""Chain to database, exactly once."""
