"""Instructions that the fuzzer does not run, each with the reason. A test fails for any other it has no action for."""

from chain.clients import treasury

_TREASURY = "covered by tests/programs/test_treasury*.py; it holds no trader's money"
_ENDS = "covered by tests/programs/test_market_lifecycle.py: it moves rent only, and the ledger keeps ended windows"
_OLD = "only for accounts of the first layout; covered by tests/programs/test_market_migration.py"
EXCUSED: dict[str, str] = {
    "market.close_market": _ENDS,
    "market.close_window": _ENDS,
    "market.init_lp_escrow": _OLD,
    "market.migrate_account": _OLD,
    "oracle.migrate_config": "only for accounts of the first layout; covered by tests/programs/test_oracle*.py",
    **{f"treasury.{name}": _TREASURY for name, _ in treasury.PROGRAM.instructions.values()},
}
