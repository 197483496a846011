"""Every program's binary says whom to tell about a hole: the block that explorers look for."""

from __future__ import annotations

import pytest

from tests.programs.svm import ARTIFACTS

BEGIN, END = b"=======BEGIN SECURITY.TXT V1=======\0", b"=======END SECURITY.TXT V1=======\0"
REQUIRED = {"name", "project_url", "contacts", "policy"}


@pytest.mark.parametrize("name", ["oracle", "market", "treasury"])
def test_the_binary_names_its_policy_and_whom_to_tell(name: str) -> None:
    binary = (ARTIFACTS / f"{name}.so").read_bytes()
    assert (binary.count(BEGIN), binary.count(END)) == (1, 1)
    block = binary[binary.index(BEGIN) + len(BEGIN) : binary.index(END)]
    words = block.decode("ascii").split("\0")
    assert words.pop() == ""
    fields = dict(zip(words[::2], words[1::2], strict=True))
    assert fields.keys() >= REQUIRED
    assert fields["name"] == f"Futstar {name}"
    # No address is invented: who deploys fills it in (docs/security.md, "Before a deployment").
    assert fields["contacts"] == "other:the operator of this deployment has named no contact"
    root = ARTIFACTS.parents[1]
    assert (root / fields["source_code"]).is_dir()
    assert (root / fields["policy"]).is_file()
