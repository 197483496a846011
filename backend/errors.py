"""Errors a person can act on: one sentence with a stable code, shown without a traceback."""

from __future__ import annotations


class UserError(Exception):
    """What is wrong, where, and what to do, in one sentence.

    ``code`` is stable (scripts may match on it); ``exit_code`` is the process's exit status.
    """

    def __init__(self, code: str, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code


def as_user_error(error: BaseException) -> UserError | None:
    """The user's view of ``error``: rooms below the backend have coded errors of their own.

    Returns None for anything without a stable ``code``: that is a defect and deserves its traceback.
    """
    if isinstance(error, UserError):
        return error
    code = getattr(error, "code", None)
    if isinstance(code, str) and str(error):
        return UserError(code, str(error))
    return None
