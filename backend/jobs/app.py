"""The Celery application: `celery -A backend.jobs.app worker --beat`; see `backend.jobs.settings` for what it needs.

A task is acknowledged when it is done: that of a killed worker is given to another one, and does no harm twice. Task
bodies are JSON only. Times in tasks come from the worker's clock; the work itself is in `backend.jobs.work`.
"""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery, Task
from celery.utils.log import get_task_logger
from psycopg import OperationalError

from backend.catalogue.service import connected
from backend.errors import UserError, as_user_error
from backend.jobs import work
from backend.jobs.settings import Settings, from_environment
from ingest.events import FeedError

REFRESH = "futstar.refresh"
PLAN = "futstar.plan"
RETRIES = 6
_log = get_task_logger(__name__)


def create(settings: Settings) -> Celery:
    """An application with its tasks and its schedule."""
    app = Celery("futstar", broker=settings.broker, backend=settings.broker, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_accept_content=["json"],
        result_expires=3_600,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_time_limit=settings.limit_s,
        task_soft_time_limit=max(1, settings.limit_s - max(1, settings.limit_s // 10)),
        # What a dead worker had taken comes back after this, when a worker starts or within 100 s more; longer than
        # any task may run, or it would run twice.
        broker_transport_options={"visibility_timeout": settings.limit_s + 5},
        broker_connection_retry_on_startup=True,
        task_default_queue="futstar",
        worker_hijack_root_logger=False,
        timezone="UTC",
        beat_schedule={
            "calendar": {"task": PLAN, "schedule": settings.plan_s, "options": {"expires": settings.plan_s}},
        },
    )

    def plan() -> list[str]:
        """Hand out what is due. A job is handed out once, however many planners look."""
        now_ms = _now_ms()
        with connected(settings.database) as connection, connection.transaction():
            jobs = work.claim(connection, settings.sources, now_ms)
            for job in jobs:
                app.send_task(REFRESH, [job.source], {"reason": job.reason.value})
        return [f"{job.source}: {job.reason.value}" for job in jobs]

    def refresh(self: Task, source: str, reason: str = "asked") -> dict[str, Any]:
        """Read one source. Bad files are told and not tried again; a database away, or a source in work, is."""
        try:
            with connected(settings.database) as connection:
                return work.read_source(connection, settings.source(source), _now_ms())
        except (OperationalError, work.BusyError, UserError) as error:
            if isinstance(error, UserError) and error.code != "database_unreachable":
                return _refused(source, error)
            if isinstance(error, work.BusyError) and self.request.retries >= RETRIES:
                return {"skipped": "running"}
            pause_s = min(60, 2**self.request.retries)
            # A plain error with the sentence: exceptions of other kinds do not travel between processes.
            raise self.retry(exc=RuntimeError(str(error)), countdown=pause_s, max_retries=RETRIES) from error
        except FeedError as error:
            return _refused(source, error)

    app.task(plan, name=PLAN, shared=False)
    app.task(refresh, name=REFRESH, bind=True, shared=False)
    return app


def _refused(source: str, error: Exception) -> dict[str, Any]:
    shown = as_user_error(error)
    assert shown is not None
    _log.error("source %s: [%s] %s", source, shown.code, shown)
    return {"error": shown.code, "text": str(shown)}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def __getattr__(name: str) -> Celery:
    """``app`` of this module, made when the command line asks for it: importing needs no environment."""
    if name in ("app", "celery"):
        global _app  # noqa: PLW0603 - one application a process
        if _app is None:
            _app = create(from_environment(os.environ))
        return _app
    raise AttributeError(name)


_app: Celery | None = None
