"""History in PostgreSQL: who writes it, who reads it back, how long it stays."""
