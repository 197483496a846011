"""Instructions that the fuzzer does not run, each with the reason. A test fails for any other it has no action for."""

from chain.clients import treasury

_TREASURY = "played by the random walk of tests/programs/test_treasury_walk.py against a model, and by its other tests"
EXCUSED: dict[str, str] = {
    "oracle.migrate_config": "only for accounts of the first layout; covered by tests/programs/test_oracle_registry.py",
    **{f"treasury.{name}": _TREASURY for name, _ in treasury.PROGRAM.instructions.values()},
}
