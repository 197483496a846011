"""The calendar's jobs: when each source is read again, and the Celery tasks that do it."""
