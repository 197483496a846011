"""The page's pure modules, tested by Node's own runner where there is one."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
APP = HERE.parents[1] / "app"


def node() -> str:
    """Node 18 or newer, or a skip that says so."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("Node.js is not installed: the page's modules are tested where it is")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < 18:
        pytest.skip(f"Node.js {version} is too old for its test runner: 18 or newer is needed")
    return path


@pytest.mark.node
@pytest.mark.parametrize("module", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_module_keeps_its_promises(module: str) -> None:
    command = [node(), "--test", str(HERE / module)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_page_is_small_and_needs_nothing_from_elsewhere() -> None:
    files = [path for path in APP.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 70_000
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 26_000
    for path in files:
        text = path.read_text()
        for scheme in ("http://", "https://", "//cdn"):
            assert scheme not in text.replace("http://www.w3.org/", ""), f"{path.name} names {scheme}"


def test_page_has_no_inline_script_or_style() -> None:
    html = (APP / "index.html").read_text()
    assert "<style" not in html
    assert "style=" not in html
    assert " on" not in html.replace(" on chain", "").replace(" on the chart", "")
    assert html.count("<script") == html.count("<script src=") + html.count('<script type="module" src=')
