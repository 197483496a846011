"""Generated clients of the programs. Written by `python -m chain.codegen`: do not edit."""

from __future__ import annotations

from solders.pubkey import Pubkey

from chain.clients import market, oracle, treasury
from chain.program import Program

PROGRAMS: dict[Pubkey, Program] = {
    market.PROGRAM_ID: market.PROGRAM,
    oracle.PROGRAM_ID: oracle.PROGRAM,
    treasury.PROGRAM_ID: treasury.PROGRAM,
}
"""Every program this repository has a client for, by its id."""
