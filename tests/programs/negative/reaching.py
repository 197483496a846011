"""How an error code is shown to be reachable: a function that ends in it, or a test that meets it on its way."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from solders.transaction_metadata import FailedTransactionMetadata

from tests.programs.negative.world import IDLS
from tests.programs.svm import Rejected

Reach = Callable[[], object]
_FAILED = re.compile(r"Program (\w+) failed: custom program error: 0x([0-9a-f]+)")
_NAMES = {
    (parsed.address, error.code): f"{name}.{error.name}" for name, parsed in IDLS.items() for error in parsed.errors
}


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Collect `program.ErrorName` of every refusal; of nested programs the innermost, which raised it."""
    names: list[str] = []
    original = Rejected.__init__

    def init(self: Rejected, meta: FailedTransactionMetadata) -> None:
        original(self, meta)
        found = _FAILED.search("\n".join(meta.meta().logs()))
        if found is not None:
            name = _NAMES.get((found[1], int(found[2], 16)))
            names.extend([name] if name else [])

    with mock.patch.object(Rejected, "__init__", init):
        yield names


def by(place: str, **arguments: Any) -> Reach:
    """Return a function that runs the test `file:name`; its module's fixtures are made, `arguments` are given."""
    file, name = place.split(":")

    def run() -> None:
        module = importlib.import_module(f"tests.programs.{file}")
        test = getattr(module, name)
        made: dict[str, Any] = {}

        def make(name: str) -> Any:
            if name not in made:
                fixture = getattr(module, name).__wrapped__
                made[name] = fixture(**{needed: make(needed) for needed in inspect.signature(fixture).parameters})
            return made[name]

        wanted = [parameter for parameter in inspect.signature(test).parameters if parameter not in arguments]
        given = {parameter: make(parameter) for parameter in wanted}
        test(**given, **arguments)

    return run


def reached(function: Reach) -> list[str]:
    """Run a function of a table and return the codes it met; the one it lets through is the last."""
    with recorded() as names:
        try:
            function()
        except Rejected:
            return names[-1:]
    return names
