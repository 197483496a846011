"""The chaos simulation: real clients, live matches, bus and consumers against twins that go wrong, in virtual
time. `simulation` runs a day of matches, `report` says what was injected, `python -m tests.chaos` runs days.
"""
