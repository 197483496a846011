"""Errors of the chain room: one tree, and transaction errors in words a user can act on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from chain.program import Program


class ChainError(Exception):
    """Anything that goes wrong between us and the chain."""


class RpcError(ChainError):
    """A node understood the request and refused it."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class RpcUnavailableError(ChainError):
    """No endpoint answered; `reasons` has one entry per attempt."""

    def __init__(self, method: str, reasons: Sequence[str]) -> None:
        super().__init__(f"{method}: no RPC endpoint answered ({'; '.join(reasons)})")
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a transaction failed. `instruction` is the index of the outer instruction, `code` a custom code, if any."""

    name: str
    message: str
    program: str = ""
    instruction: int | None = None
    code: int | None = None

    def __str__(self) -> str:
        where = f"{self.program}: " if self.program else ""
        return f"{where}{self.name}: {self.message}" if self.message else f"{where}{self.name}"


_ANCHOR = {
    100: ("InstructionMissing", "Instruction discriminator not provided"),
    101: ("InstructionFallbackNotFound", "The program has no such instruction"),
    102: ("InstructionDidNotDeserialize", "The program could not read the arguments"),
    2000: ("ConstraintMut", "An account must be writable"),
    2001: ("ConstraintHasOne", "An account does not belong to the one given with it"),
    2002: ("ConstraintSigner", "An account must sign"),
    2003: ("ConstraintRaw", "An account does not meet a condition of the program"),
    2004: ("ConstraintOwner", "An account is owned by the wrong program"),
    2005: ("ConstraintRentExempt", "An account has too few lamports to be rent exempt"),
    2006: ("ConstraintSeeds", "An account is not at the address its seeds give"),
    2012: ("ConstraintAddress", "An account is not the one expected"),
    2014: ("ConstraintTokenMint", "A token account is of another mint"),
    2015: ("ConstraintTokenOwner", "A token account belongs to somebody else"),
    2040: ("ConstraintDuplicateMutableAccount", "One account was given in two writable places"),
    3000: ("AccountDiscriminatorAlreadySet", "The account already exists"),
    3001: ("AccountDiscriminatorNotFound", "The account is empty"),
    3002: ("AccountDiscriminatorMismatch", "The account is of another kind"),
    3003: ("AccountDidNotDeserialize", "The account could not be read"),
    3005: ("AccountNotEnoughKeys", "Too few accounts were given"),
    3006: ("AccountNotMutable", "An account must be writable"),
    3007: ("AccountOwnedByWrongProgram", "An account is owned by another program"),
    3008: ("InvalidProgramId", "A program account is the wrong one"),
    3010: ("AccountNotSigner", "An account must sign"),
    3012: ("AccountNotInitialized", "An account does not exist yet"),
}
_TOKEN = {
    0: ("NotRentExempt", "Too few lamports for rent"),
    1: ("InsufficientFunds", "Not enough tokens"),
    3: ("MintMismatch", "The account is of another mint"),
    4: ("OwnerMismatch", "The account belongs to somebody else"),
    6: ("AlreadyInUse", "The account is already in use"),
    9: ("UninitializedState", "The account does not exist yet"),
    11: ("NonNativeHasBalance", "Only an empty token account can be closed"),
    14: ("Overflow", "The amount is too large"),
    17: ("AccountFrozen", "The account is frozen"),
    18: ("MintDecimalsMismatch", "The decimals are not those of the mint"),
}
_SYSTEM = {
    0: ("AccountAlreadyInUse", "The account already exists"),
    1: ("ResultWithNegativeLamports", "Not enough SOL: add SOL to the paying account"),
    2: ("InvalidProgramId", "The owner is not a program"),
    3: ("InvalidAccountDataLength", "The account would be too large"),
    5: ("AddressWithSeedMismatch", "The address does not follow from its seed"),
}
_FOREIGN = {
    "11111111111111111111111111111111": ("system", _SYSTEM),
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA": ("spl-token", _TOKEN),
    "TokenzQdBNbLqP5VEhdkAS6EPFXC1PHnBqCXEpPxuEb": ("spl-token-2022", _TOKEN),
}
_PLAIN = {
    "BlockhashNotFound": "The transaction is too old or its blockhash is unknown: sign it again",
    "AlreadyProcessed": "The transaction has been processed before",
    "AccountNotFound": "The paying account does not exist: add SOL to it",
    "InsufficientFundsForFee": "The paying account cannot pay the fee: add SOL to it",
    "SignatureFailure": "A signature is wrong",
}
_RUNTIME = {
    "UninitializedAccount": "An account the instruction needs does not exist yet",
    "AccountAlreadyInitialized": "An account that should be new exists already",
    "MissingRequiredSignature": "Somebody who has to sign did not",
    "InvalidAccountData": "An account holds something else than expected",
    "InvalidAccountOwner": "An account belongs to another program",
    "InvalidInstructionData": "The program could not read the instruction: is the client older than the program?",
    "InvalidArgument": "An argument is not acceptable",
    "InvalidSeeds": "An account is not at the address its seeds give",
    "InsufficientFunds": "An account does not hold enough",
    "IncorrectProgramId": "A program account is the wrong one",
    "NotEnoughAccountKeys": "Too few accounts were given",
    "ComputationalBudgetExceeded": "The compute budget is used up: ask for more compute units",
    "ProgramFailedToComplete": "The program crashed or used up its compute budget",
    "UnsupportedProgramId": "There is no such program on this cluster",
}
_FAILED = re.compile(r"^Program (\w{32,44}) failed: custom program error: 0x([0-9a-f]+)$")


def explain(
    err: Any, programs: Mapping[Pubkey, Program], *, called: Sequence[Pubkey] = (), logs: Sequence[str] = ()
) -> Failure:
    """Say what a transaction error means.

    `err` is the JSON form, `called` the programs of the outer instructions in order, `logs` find the program that
    really failed when it was called by another one.
    """
    if not (isinstance(err, dict) and "InstructionError" in err):
        name = err if isinstance(err, str) else next(iter(err), "Unknown") if isinstance(err, dict) else str(err)
        return Failure(str(name), _PLAIN.get(str(name), ""))
    index, inner = err["InstructionError"]
    program = called[index] if index < len(called) else None
    if not (isinstance(inner, dict) and "Custom" in inner):
        known = programs.get(program) if program is not None else None
        text = inner if isinstance(inner, str) else str(inner)
        return Failure(text, _RUNTIME.get(text, ""), known.name if known else str(program or ""), index)
    code = int(inner["Custom"])
    for line in logs:
        match = _FAILED.match(line)
        if match and int(match.group(2), 16) == code:
            program = Pubkey.from_string(match.group(1))
            break
    return _custom(code, program, programs, index)


def _custom(code: int, program: Pubkey | None, programs: Mapping[Pubkey, Program], index: int) -> Failure:
    known = programs.get(program) if program is not None else None
    if known is not None:
        info = known.errors.get(code)
        if info is not None:
            return Failure(info.name, info.message, known.name, index, code)
        name, message = _ANCHOR.get(code, ("UnknownError", f"The program gave code {code}"))
        return Failure(name, message, known.name, index, code)
    foreign = _FOREIGN.get(str(program))
    if foreign is not None:
        name, message = foreign[1].get(code, ("UnknownError", f"The program gave code {code}"))
        return Failure(name, message, foreign[0], index, code)
    return Failure("UnknownError", f"The program gave code {code}", str(program or ""), index, code)
