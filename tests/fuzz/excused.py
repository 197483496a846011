"""Instructions that the fuzzer does not run, each with the reason. A test fails for any other it has no action for."""

from chain.clients import treasury

_TREASURY = "played by the random walk of tests/programs/test_treasury_walk.py against a model, and by its other tests"
EXCUSED: dict[str, str] = {
    "oracle.migrate_config": "only for accounts of the first layout; covered by tests/programs/test_oracle_registry.py",
    **{f"treasury.{name}": _TREASURY for name, _ in treasury.PROGRAM.instructions.values()},
}

SELDOM: dict[str, str] = {
    "market.collect_protocol_fees": "needs a window that was traded, played to its end and not voided",
    "market.release_insurance": "needs the same, or a bond that was lost",
    "market.void_window": "needs a window that was played to its end, inside its dispute",
    "market.challenge_window": "likewise",
    "market.resolve_challenge": "likewise",
}
"""Instructions of which a quarter of the wanted successes is enough."""
