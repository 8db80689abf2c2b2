"""The home folder: where this installation keeps everything, who holds it, and whether there is room left."""

import contextlib
import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from hagukumi.embedded.errors import StartError
from hagukumi.embedded.process import lock_file
from hagukumi.kit import address

NEEDED_MB = 200
PENDING = "demo.pending"  # in the home while `up` makes the demo company


@dataclass(frozen=True)
class Ports:
    """The installation's ports on 127.0.0.1 and beyond; all follow the first."""

    web: int
    collector: int
    smtp: int
    mailbox: int

    @classmethod
    def of_environment(cls) -> "Ports":
        """PORT, and HAGUKUMI_COLLECTOR_PORT where the collector does not simply follow it."""
        raw = os.environ.get("PORT", "8000")
        if not raw.isdigit() or not 1 <= int(raw) <= 65532:
            raise StartError(f"PORT が正しくありません: {raw}（1〜65532）", f"PORT is not a port: {raw} (1 to 65532)")
        port = int(raw)
        return cls(port, int(os.environ.get("HAGUKUMI_COLLECTOR_PORT", port + 1)), port + 2, port + 3)


def check_addresses() -> None:
    """See that HAGUKUMI_BASE_URL and HAGUKUMI_COLLECTOR_URL are addresses. Raises StartError that names the one."""
    for name in ("HAGUKUMI_BASE_URL", "HAGUKUMI_COLLECTOR_URL"):
        raw = os.environ.get(name, "")
        try:
            if raw:
                address.normalise(raw, with_path=name == "HAGUKUMI_COLLECTOR_URL")
        except address.AddressError as error:
            raise StartError(f"{name} が正しくありません: {raw}（{error.ja}）", f"{name}: {raw}: {error.en}") from error


def home_of_environment() -> Path:
    """HAGUKUMI_HOME, by default `./var`, as an absolute path."""
    return Path(os.environ.get("HAGUKUMI_HOME", "var")).resolve()


def prepare(home: Path) -> None:
    """Make the folders, for us alone, and see that they can be written and have room. Raises StartError in one line.

    From here on this process makes files that nobody else can read: people's data, mails, logs, keys.
    """
    os.umask(0o077)
    try:
        for folder in (home, home / "log", home / "run"):
            folder.mkdir(parents=True, exist_ok=True)
        _close_to_others(home)
        probe = home / "run" / f".probe-{os.getpid()}"
        probe.write_bytes(b"x" * 65536)
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"HAGUKUMI_HOME（{home}）に書き込めません: {error.strerror}",
            f"cannot write to HAGUKUMI_HOME ({home}): {error.strerror}",
        ) from error
    free = free_mb(home)
    if free < NEEDED_MB:
        raise StartError(
            f"ディスクの空きが足りません: {home} に {free} MB（{NEEDED_MB} MB 以上必要です）",
            f"the disk is full: {free} MB free at {home} ({NEEDED_MB} MB are needed)",
        )


def _close_to_others(home: Path) -> None:
    """Homes made before had folders that anybody could read. The home itself may be walked through: where root runs the
    database, that is how its account comes to the data."""
    home.chmod(home.stat().st_mode & 0o711)
    for name in ("log", "files", "mailbox", "spool"):
        folder = home / name
        if folder.is_dir() and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode & 0o700)


def free_mb(home: Path) -> int:
    """Megabytes that an ordinary program can still write at `home`."""
    return shutil.disk_usage(home).free // 2**20


def hold(home: Path) -> int:
    """Hold the home for this process's life; the descriptor of the lock. Raises StartError when another holds it."""
    fd = lock_file(home / "run" / "up.lock")
    if fd is None:
        raise StartError(
            f"このホーム（{home}）では別の hagukumi up が動いています",
            f"another hagukumi up is running on this home ({home})",
        )
    return fd


def check_ports(ports: list[int]) -> None:
    """Raises StartError naming the first port that something else listens on."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))  # noqa: S104 - only asked, never listened on
            except PermissionError:
                raise StartError(f"ポート {port} を使う権限がありません", f"no permission to use port {port}") from None
            except OSError:
                raise StartError(
                    f"ポート {port} は使われています。PORT=9000 のように別の番号を指定してください",
                    f"port {port} is taken; choose another, for example PORT=9000",
                ) from None


def secret_key(home: Path) -> str:
    """The installation's own key: made once, readable by its owner alone."""
    path = home / "secret.key"
    if not path.exists():
        partial = path.with_name(f"secret.key.{os.getpid()}")
        fd = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):  # another part was first: its key is the key
            os.link(partial, path)
        partial.unlink()
    return path.read_text().strip()


def kept_secret_key(home: Path) -> str:
    """The installation's key where it has one; '' otherwise. Makes nothing."""
    try:
        return (home / "secret.key").read_text().strip()
    except OSError:
        return ""


def sign_in(home: Path) -> list[dict[str, str]]:
    """The demo company's accounts (`email`, `password`, `role`), as `hagukumi demo` left them; else nothing."""
    try:
        found = json.loads((home / "sign-in.json").read_text())
    except (OSError, ValueError):
        return []
    return [{str(key): str(value) for key, value in one.items()} for one in found if isinstance(one, dict)]


def mailbox_key(home: Path) -> str:
    """What the development mailbox's page asks for: made once, readable by its owner alone."""
    path = home / "mailbox.key"
    with contextlib.suppress(FileExistsError):
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(18))
    return path.read_text().strip()


def bind_address() -> str:
    """HAGUKUMI_BIND: the address the faces listen on. This machine alone unless someone opens it."""
    return os.environ.get("HAGUKUMI_BIND", "127.0.0.1")
