"""Local twins of the providers: a recorded match served as a live feed with faults, each of a stated probability.

`script` is what the provider means, `core` what it answers at any time, `transport` and `server` put that on the wire.
"""
