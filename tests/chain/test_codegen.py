"""A small IDL with every feature becomes a client that reads and writes what Anchor does."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from solders.pubkey import Pubkey

from chain import codegen
from chain.codec import DecodeError
from chain.idl import IdlError, parse
from chain.program import EVENT_TAG

IDL = Path(__file__).parent / "idl"
SYSTEM = Pubkey.from_string("11111111111111111111111111111111")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    out = tmp_path_factory.mktemp("clients")
    assert codegen.main(["--idl", str(IDL), "--out", str(out)]) == 0
    spec = importlib.util.spec_from_file_location("sample_client", out / "sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_client"] = module
    spec.loader.exec_module(module)
    return module


def reading(sample: ModuleType, x_e6: int = 50_000_000) -> Any:
    return sample.Reading(x_e6=x_e6, from_=-3, flags=b"\x01\x02")


def test_an_instruction_names_its_accounts_and_derives_what_it_can(sample: ModuleType) -> None:
    publisher, parent = Pubkey.new_unique(), Pubkey.new_unique()
    ix = sample.ix_push(publisher=publisher, parent=parent, number=7, reading=reading(sample), note="hi", order_arg=2)
    config, _ = Pubkey.find_program_address([b"config", bytes(publisher)], sample.PROGRAM_ID)
    board, _ = Pubkey.find_program_address([b"board", bytes(config), (7).to_bytes(8, "little")], sample.PROGRAM_ID)
    authority, _ = Pubkey.find_program_address([b"__event_authority"], sample.PROGRAM_ID)
    expected = [publisher, config, board, sample.PROGRAM_ID, parent, SYSTEM, authority, sample.PROGRAM_ID]
    assert [meta.pubkey for meta in ix.accounts] == expected
    assert [(meta.is_signer, meta.is_writable) for meta in ix.accounts][:3] == [
        (True, True),
        (False, False),
        (False, True),
    ]
    assert bytes(ix.data) == (
        bytes([1, 2, 3, 4, 5, 6, 7, 8])
        + (7).to_bytes(8, "little")
        + (50_000_000).to_bytes(4, "little")
        + (-3).to_bytes(2, "little", signed=True)
        + b"\x01\x02"
        + b"\x01\x02\x00\x00\x00hi"
        + b"\x02"
    )
    name, args = sample.PROGRAM.decode_instruction(bytes(ix.data))
    assert (name, args.number, args.reading.from_, args.note, args.order) == ("push", 7, -3, "hi", 2)


def test_an_optional_account_is_passed_when_it_is_given(sample: ModuleType) -> None:
    order = Pubkey.new_unique()
    ix = sample.ix_push(
        publisher=SYSTEM, parent=SYSTEM, number=7, reading=reading(sample), note=None, order_arg=2, order=order
    )
    assert ix.accounts[3].pubkey == order
    assert ix.accounts[3].is_writable


def test_arguments_may_be_called_accounts_and_data(sample: ModuleType) -> None:
    who, other = Pubkey.new_unique(), Pubkey.new_unique()
    ix = sample.ix_noop(who=who, accounts=(other,), data=b"xy")
    assert [meta.pubkey for meta in ix.accounts] == [who]
    _, args = sample.PROGRAM.decode_instruction(bytes(ix.data))
    assert (args.accounts, args.data) == ((other,), b"xy")


def board_bytes(sample: ModuleType) -> tuple[bytes, Pubkey]:
    owner = Pubkey.new_unique()
    marks = np.arange(4 * 46, dtype="<u8").reshape(4, 46)
    ring = np.zeros(64, sample.READING_DTYPE)
    ring["x_e6"] = np.arange(64)
    data = (
        sample.Board.DISCRIMINATOR
        + bytes([1]) + bytes(7) + bytes(owner) + (1 << 100).to_bytes(16, "little") + marks.tobytes()
        + b"".join(value.to_bytes(4, "little") for value in (5, 6, 7))
        + reading(sample).encode() + ring.tobytes()
    )  # fmt: skip
    return data, owner


def test_a_zero_copy_account_is_read_with_its_ring_as_a_numpy_array(sample: ModuleType) -> None:
    data, owner = board_bytes(sample)
    assert len(data) == sample.Board.SPACE
    board = sample.Board.from_account(data)
    assert (board.version, board.owner, board.total, board.few) == (1, owner, 1 << 100, (5, 6, 7))
    assert board.marks[3, 45] == 4 * 46 - 1
    assert board.ring["x_e6"][63] == 63
    assert board.last.x_e6 == 50_000_000
    assert sample.Board.DISCRIMINATOR + board.encode() == data
    assert sample.BOARD_DTYPE.itemsize == sample.Board.SPACE - 8
    whole = np.frombuffer(data, sample.BOARD_DTYPE, 1, 8)[0]
    assert whole["ring"]["x_e6"][63] == 63
    assert sample.PROGRAM.decode_account(data).owner == owner


def test_a_short_or_foreign_account_is_refused_with_its_name(sample: ModuleType) -> None:
    data, _ = board_bytes(sample)
    with pytest.raises(DecodeError, match="Board: needs 512 bytes"):
        sample.Board.from_account(data[:-1])
    with pytest.raises(DecodeError, match="not a Board account: it starts with 0000"):
        sample.Board.from_account(bytes(len(data)))
    with pytest.raises(DecodeError, match="unknown account type"):
        sample.PROGRAM.decode_account(bytes(len(data)))


def test_an_event_is_read_from_the_data_of_an_inner_instruction(sample: ModuleType) -> None:
    event = sample.Pushed(
        level=sample.Level.REDUCE_ONLY,
        outcome=sample.OutcomePair(field_0=4, field_1=SYSTEM),
        paid=9,
        votes=(1, 2, 3),
        raw=b"xyz",
        ok=True,
    )
    data = EVENT_TAG + sample.Pushed.DISCRIMINATOR + event.encode()
    assert sample.PROGRAM.decode_event(data) == event
    assert sample.PROGRAM.decode_event(b"\x00" * 40) is None
    with pytest.raises(DecodeError, match="unknown event"):
        sample.PROGRAM.decode_event(EVENT_TAG + bytes(8))
    with pytest.raises(DecodeError):
        sample.PROGRAM.decode_event(data[:-4])


def test_errors_constants_and_return_values_are_known(sample: ModuleType) -> None:
    info = sample.PROGRAM.errors[sample.ErrorCode.NOT_PUBLISHER]
    assert (info.name, info.message) == ("NotPublisher", 'This key may not push; ask the "operator".')
    assert (sample.RING, sample.SEED) == (64, b"bo")
    assert sample.returned_push((77).to_bytes(8, "little")) == 77


def test_a_value_that_does_not_fit_names_its_field(sample: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"Reading\.x_e6"):
        reading(sample, x_e6=1 << 32).encode()
    with pytest.raises(ValueError, match=r"Reading\.flags: needs 2 bytes, got 1"):
        sample.Reading(x_e6=1, from_=1, flags=b"\x01").encode()


def test_check_notices_a_stale_a_missing_and_a_left_over_client(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--idl", str(IDL), "--out", str(tmp_path)]
    assert codegen.main(arguments) == 0
    assert codegen.main([*arguments, "--check"]) == 0
    (tmp_path / "sample.py").write_text("# edited\n")
    (tmp_path / "__init__.py").unlink()
    (tmp_path / "old.py").write_text("")
    assert codegen.main([*arguments, "--check"]) == 1
    said = capsys.readouterr().err
    assert "sample.py: differs" in said
    assert "__init__.py: missing" in said
    assert "old.py: has no IDL" in said
    assert codegen.main(arguments) == 0
    assert not (tmp_path / "old.py").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda idl: idl["metadata"].update(spec="0.0.1"), "metadata.spec"),
        (lambda idl: idl.update(address="nonsense"), "not an address"),
        (lambda idl: idl["accounts"][0].pop("discriminator"), "no discriminator"),
        (lambda idl: idl["types"].pop(0), "no type"),
        (lambda idl: idl["types"][1]["type"]["fields"].append({"name": "z", "type": "u7"}), "unknown type 'u7'"),
        (lambda idl: idl.pop("instructions"), "missing or malformed entry"),
    ],
)
def test_a_wrong_idl_is_refused_with_the_place(change: Any, message: str) -> None:
    idl = json.loads((IDL / "sample.json").read_text())
    change(idl)
    with pytest.raises(IdlError, match=message):
        parse(json.dumps(idl))


def test_a_broken_file_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text('{"address": ')
    assert codegen.main(["--idl", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("codegen: bad.json: not JSON")


def test_the_committed_clients_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert codegen.main(["--check"]) == 0, capsys.readouterr().err
