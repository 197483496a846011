"""Real engines, embedded: they run from the installed wheels, need no root, and never outlive their parent."""
