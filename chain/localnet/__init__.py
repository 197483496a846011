"""An embedded Solana cluster: LiteSVM behind JSON-RPC and PubSub, on a clock the match controls.

`ledger` is the pure core (no I/O, the time is an argument), `clock` turns wall time into match time,
`methods`/`hub` speak the protocol, `server` is the aiohttp shell. Start it with
`python -m chain.localnet`; docs/localnet.md says what differs from a real cluster.
"""
