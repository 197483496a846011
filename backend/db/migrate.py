"""Bring a database to the newest version of the schema."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg

from backend.db.address import checked
from backend.errors import UserError

HEAD = "0003"
"""The newest migration; a test compares it with the folder."""


def version(dsn: str) -> str | None:
    """The migration a database stands at; None for an empty one. Raises UserError when it does not answer."""
    try:
        with psycopg.connect(checked(dsn), connect_timeout=10) as connection:
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if row is None else str(row[0])
    except psycopg.OperationalError as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise UserError(
            "database_unreachable", f"the database does not answer ({reason}): check --database", 1
        ) from None


def migrate(dsn: str) -> None:
    """Apply the missing migrations; nothing happens, and Alembic is not even loaded, when there are none."""
    if version(dsn) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["url"] = dsn.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, "head")


async def amigrate(dsn: str) -> None:
    """`migrate` without blocking the event loop."""
    await asyncio.to_thread(migrate, dsn)
