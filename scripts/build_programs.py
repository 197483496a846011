"""Build the on-chain programs for the SVM with plain rustc, and their IDL; needs only the standard library.

`scripts/build_programs.sh oracle` builds one program into programs/artifacts and refreshes SHA256SUMS.
`scripts/build_programs.sh --check` builds all into a temporary folder and compares with the committed hashes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = ROOT / "programs"
ARTIFACTS = WORKSPACE / "artifacts"
PROGRAMS = ("oracle", "market", "treasury")
TOOLCHAIN = "nightly-2026-08-21"
LINKER = "0.2.6"
TARGET = "sbf-solana-solana"
# Part of the folder name of the patched standard library: raise it whenever patch_source changes.
PATCH_LEVEL = 1


class BuildError(Exception):
    """A build step failed; the message says what to do."""


def run(command: list[str], *, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run `command` and return its standard output; standard error goes to the terminal."""
    try:
        done = subprocess.run(command, env=env, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed: see docs/programs.md") from None
    if done.returncode:
        raise BuildError(f"`{' '.join(command[:3])} ...` ended with code {done.returncode}: see the lines above")
    return done.stdout


def toolchain() -> Path:
    """Return the sysroot of the pinned compiler, after checking that it and the linker are there."""
    try:
        sysroot = Path(run(["rustup", "run", TOOLCHAIN, "rustc", "--print", "sysroot"]).strip())
    except BuildError as error:
        raise BuildError(
            f"{error}\nthe pinned compiler is missing; install it with\n"
            f"  rustup toolchain install {TOOLCHAIN} --profile minimal -c rust-src"
        ) from None
    if not (sysroot / "lib/rustlib/src/rust/library/std").is_dir():
        raise BuildError(
            f"no library sources; install them with\n  rustup component add rust-src --toolchain {TOOLCHAIN}"
        )
    install = f"cargo +{TOOLCHAIN} install sbpf-linker --version {LINKER} --locked"
    if shutil.which("sbpf-linker") is None:
        raise BuildError(f"no sbpf-linker; install it with\n  {install}")
    version = run(["sbpf-linker", "--version"]).split()[1]
    if version != LINKER:
        raise BuildError(f"sbpf-linker {version} is not {LINKER}, so hashes would differ; install it with\n  {install}")
    return sysroot


def patch_source(library: Path) -> None:
    """Teach the copied standard library the platform: nothing of std survives linking, but it has to compile."""
    for path in (library / "std/src/sys").rglob("*.rs"):
        old = path.read_text()
        new = re.sub(
            r'(?<!any\()target_os = "zkvm"(?!, target_os = "solana")',
            'any(target_os = "zkvm", target_os = "solana")',
            old,
        )
        if path.relative_to(library).as_posix() == "std/src/sys/alloc/mod.rs":
            new = new.replace('target_arch = "csky",', 'target_arch = "csky",\n        target_arch = "bpf",')
        if new != old:
            path.write_text(new)


def standard_library(sysroot: Path) -> Path:
    """Return the patched copy of the standard library, made once per toolchain.

    It lies inside the workspace because cargo hashes the sources' path into symbol names, and only a path inside
    the workspace is hashed relative to it: the hashes then do not depend on where the repository lies.
    """
    copy = WORKSPACE / ".build" / f"rust-{TOOLCHAIN}-{PATCH_LEVEL}"
    if not copy.is_dir():
        copy.parent.mkdir(exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(sysroot / "lib/rustlib/src/rust", temporary / "rust", symlinks=True)
        patch_source(temporary / "rust/library")
        try:
            (temporary / "rust").rename(copy)
        except OSError:  # another build made the same copy meanwhile
            if not copy.is_dir():
                raise
        shutil.rmtree(temporary)
    return copy / "library"


def environment(sysroot: Path) -> dict[str, str]:
    """Return the variables of a build: the toolchain's own binaries first, and nothing that alters its output."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("RUSTUP_TOOLCHAIN", "CARGO_ENCODED"))}
    for key in ("RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"):
        env.pop(key, None)
    env["PATH"] = f"{sysroot / 'bin'}{os.pathsep}{env['PATH']}"
    env["CARGO_TARGET_DIR"] = str(Path(os.environ.get("CARGO_TARGET_DIR", WORKSPACE / "target")).resolve())
    return env


def build_program(name: str, sysroot: Path) -> bytes:
    """Build one program and return its shared object."""
    library = standard_library(sysroot)
    env = environment(sysroot)
    env["__CARGO_TESTS_ONLY_SRC_ROOT"] = str(library)
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")).resolve()
    remap = {home: "/cargo", sysroot: "/rust", WORKSPACE: "/programs", Path(env["CARGO_TARGET_DIR"]): "/target"}
    flags = ["-C", "linker=sbpf-linker", "-C", "panic=immediate-abort", "-Z", "unstable-options"]
    flags += ["-C", "relocation-model=static", "-C", "link-arg=--llvm-args=-bpf-stack-size=4096"]
    flags += [f"--remap-path-prefix={source}={name}" for source, name in remap.items()]
    command = ["cargo", "build", "--release", "--locked", "-p", name, "--lib"]
    command += ["--target", f"sbf/{TARGET}.json", "--config", "sbf/config.toml"]
    command += ["--config", f"target.{TARGET}.rustflags={json.dumps(flags)}"]
    run(command, env=env, cwd=WORKSPACE)
    return (Path(env["CARGO_TARGET_DIR"]) / TARGET / "release" / f"lib{name}.so").read_bytes()


def build_idl(name: str, sysroot: Path) -> bytes:
    """Return the IDL of one program, printed by the host build of its own sources."""
    env = environment(sysroot)
    run(["cargo", "build", "--release", "--locked", "-p", "idl"], env=env, cwd=WORKSPACE)
    builder = Path(env["CARGO_TARGET_DIR"]) / "release" / "build-idl"
    return run([str(builder), str(WORKSPACE / name)], env=env, cwd=WORKSPACE).encode()


def read_sums(folder: Path) -> dict[str, str]:
    """Return {file name: SHA-256} of the folder's SHA256SUMS."""
    path = folder / "SHA256SUMS"
    if not path.is_file():
        return {}
    return {name: digest for digest, name in (line.split() for line in path.read_text().splitlines() if line)}


def build(names: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Build `names` into `folder` and return the hashes of all files there."""
    sysroot = toolchain()
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for file, data in ((f"{name}.so", build_program(name, sysroot)), (f"{name}.json", build_idl(name, sysroot))):
            (folder / file).write_bytes(data)
            print(f"{hashlib.sha256(data).hexdigest()}  {file} ({len(data):,} bytes)", flush=True)
    files = sorted(path for path in folder.iterdir() if path.suffix in {".so", ".json"})
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (folder / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    return sums


def check(names: tuple[str, ...]) -> int:
    """Rebuild `names` elsewhere and return 1 when a hash differs from the committed one."""
    committed = read_sums(ARTIFACTS)
    with tempfile.TemporaryDirectory() as temporary:
        rebuilt = build(names, Path(temporary))
    wrong = [file for file, digest in rebuilt.items() if committed.get(file) != digest]
    stale = [
        file
        for file in rebuilt
        if not (ARTIFACTS / file).is_file()
        or hashlib.sha256((ARTIFACTS / file).read_bytes()).hexdigest() != committed.get(file)
    ]
    for file in wrong:
        print(f"{file}: rebuilt {rebuilt[file]}, committed {committed.get(file, 'nothing')}", file=sys.stderr)
    for file in stale:
        print(f"{file}: the committed file is not the one SHA256SUMS names", file=sys.stderr)
    if wrong or stale:
        print("run scripts/build_programs.sh and commit programs/artifacts", file=sys.stderr)
        return 1
    print(f"{len(rebuilt)} files rebuilt, all as committed")
    return 0


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/build_programs.sh",
        description="Build the on-chain programs and their IDL into programs/artifacts.",
        epilog="Set CARGO_TARGET_DIR to build beside someone else. Example: scripts/build_programs.sh oracle",
    )
    parser.add_argument("program", nargs="*", choices=[*PROGRAMS, []], help="default: all")
    parser.add_argument("--check", action="store_true", help="build elsewhere and compare with the committed hashes")
    options = parser.parse_args()
    names = tuple(options.program) or PROGRAMS
    try:
        if options.check:
            return check(names)
        build(names, ARTIFACTS)
    except BuildError as error:
        print(f"build_programs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
