"""The database's address, which may hold a password: checked before a driver's error could show it."""

from __future__ import annotations

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from backend.errors import UserError


def checked(dsn: str) -> str:
    """``dsn`` itself. Raises UserError ``bad_database``, which does not repeat it, when it is no connection string."""
    try:
        conninfo_to_dict(dsn)
    except ProgrammingError:
        raise UserError(
            "bad_database", "--database is no connection string: write postgresql://user[:password]@host[:port]/name"
        ) from None
    return dsn
