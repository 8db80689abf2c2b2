"""The home folder: one holder, room to write, ports that are free; each trouble is one line in two languages."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from hagukumi.embedded import home as homes
from hagukumi.embedded.errors import StartError
from hagukumi.embedded.parts import trim_logs


def test_a_home_has_one_holder(home: Path) -> None:
    homes.prepare(home)
    first = homes.hold(home)
    with pytest.raises(StartError) as caught:
        homes.hold(home)
    assert "別の hagukumi up" in caught.value.ja and "another hagukumi up" in caught.value.en
    assert "\n" not in caught.value.ja + caught.value.en
    os.close(first)
    os.close(homes.hold(home))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=str(port)):
            homes.check_ports([port])
    homes.check_ports([port])


def test_a_full_disk_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage(home))(100 * 2**30, 100 * 2**30, 5 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StartError, match="5 MB"):
        homes.prepare(home)


def test_a_home_that_cannot_be_made_is_said(home: Path) -> None:
    (home / "file").write_text("not a folder")
    with pytest.raises(StartError, match="HAGUKUMI_HOME"):
        homes.prepare(home / "file" / "home")


def test_the_secret_key_is_made_once_and_private(home: Path) -> None:
    key = homes.secret_key(home)
    assert len(key) > 40 and homes.secret_key(home) == key
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("raw", ["", "abc", "0", "65533", "-1"])
def test_a_port_that_is_none(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", raw)
    with pytest.raises(StartError, match="PORT"):
        homes.Ports.of_environment()


def test_the_other_ports_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.delenv("HAGUKUMI_COLLECTOR_PORT", raising=False)
    assert homes.Ports.of_environment() == homes.Ports(9000, 9001, 9002, 9003)


def test_what_is_made_is_for_us_alone(home: Path) -> None:
    """Also in a home that an earlier version made for everybody to read."""
    for name in ("log", "files", "mailbox"):
        (home / name).mkdir(mode=0o755)
        (home / name).chmod(0o755)
    home.chmod(0o755)
    before = os.umask(0o022)
    try:
        homes.prepare(home)
        (home / "files" / "list.csv").write_text("佐藤")
        assert (home / "files" / "list.csv").stat().st_mode & 0o777 == 0o600
        assert {path.stat().st_mode & 0o066 for path in (home, *home.iterdir())} == {0}
        assert (home / "log").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_logs_are_cut_by_size_and_one_older_is_kept(home: Path) -> None:
    (home / "postgres.log").write_bytes(b"x" * 3000)
    (home / "web.log").write_bytes(b"short")
    trim_logs(home, limit=1000)
    assert (home / "postgres.log").read_bytes() == b"" and len((home / "postgres.log.1").read_bytes()) == 3000
    assert (home / "web.log").read_bytes() == b"short" and not (home / "web.log.1").exists()
