"""Stateful fuzzing: random actors over real matches, an independent ledger beside the programs."""
