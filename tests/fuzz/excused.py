"""Instructions that the fuzzer does not run, each with the reason. A test fails for any other it has no action for."""

from chain.clients import treasury

_TREASURY = "covered by tests/programs/test_treasury*.py; it holds no trader's money"
EXCUSED: dict[str, str] = {
    "oracle.migrate_config": "only for accounts of the first layout; covered by tests/programs/test_oracle*.py",
    **{f"treasury.{name}": _TREASURY for name, _ in treasury.PROGRAM.instructions.values()},
}
