"""A house of its own for each fault test: database, mail server, parts."""

import os
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from fault_rig import House, Sink

from hagukumi.embedded.postgres import EmbeddedPostgres, free_port


@pytest.fixture
def postgres(tmp_path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "home") as server:
        yield server


@pytest.fixture
def mails() -> Sink:
    return Sink()


@pytest.fixture
def sink(mails) -> Iterator[tuple[Sink, int]]:
    port = free_port()
    server = Controller(mails, hostname="127.0.0.1", port=port)
    server.start()
    yield mails, port
    server.stop()


@pytest.fixture
def house(tmp_path, postgres, sink) -> Iterator[House]:
    environment = os.environ | {
        "HAGUKUMI_HOME": str(tmp_path / "home"),
        "DATABASE_URL": postgres.url,
        "SMTP_URL": f"smtp://127.0.0.1:{sink[1]}?mailbox=1",
        "HAGUKUMI_COLLECTOR_PORT": str(free_port()),
        "PORT": str(free_port()),
        "DJANGO_SETTINGS_MODULE": "hagukumi.app.settings",
        "HAGUKUMI_SECRET_KEY": "only-for-tests",
    }
    environment.pop("HAGUKUMI_CLOCK", None)
    parts = House(environment, tmp_path)
    yield parts
    parts.stop()
