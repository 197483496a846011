"""Solana access. It knows nothing of football.

- `clients`: generated from the IDL files in programs/artifacts by `python -m chain.codegen` (`idl`, `emit*`, `codec`,
  `program`): arguments, accounts, events, errors, `ix_*` builders, `pda_*` helpers; `pda`: every address by its seeds.
- `rpc.RpcPool`: JSON-RPC over several endpoints (`endpoints` is the failover policy); `pubsub.PubSub`: subscriptions
  that survive lost connections (`subscriptions` is the bookkeeping).
- `sender.Sender`: send and confirm (`confirm` is the state machine); `errors.explain`: why a transaction failed.
- `events.events_of`: program events from inner instructions.
- `localnet`: an embedded cluster on the match clock; see docs/localnet.md.
"""
