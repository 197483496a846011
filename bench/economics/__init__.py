"""The economic replay: real matches through the real programs, with scripted traders of every kind.

    python -m bench.economics --input ../shared/data/wyscout --matches 200 --json artifacts/economics.json

Modules: `matches` (a recorded match as the keeper would have quoted it), `strategies` (what each trader does),
`season` (one pool on one chain, match after match), `figures` (results, intervals, tables), `jumps` (how far the
forward moves across a suspension, and the margins that follow). What was found: docs/economics.md, and
docs/calibration.md for the jumps.
"""
