"""Measured figures: one module per subject, each with `run(quick) -> list[Result]`; see `harness`."""
