"""`kill -9` of the sender in the middle of its work: no mail twice, none lost, the uncertain ones shown."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

from hagukumi.channels.outbox import rules
from hagukumi.channels.outbox.models import Delivery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MAILS = 400


def _start(server) -> subprocess.Popen:
    settings = connection.settings_dict
    folder, port = settings["HOST"], settings["PORT"]
    url = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={folder}" + (f"&port={port}" if port else "")
    environment = os.environ | {"SMTP_URL": f"smtp://{server.host}:{server.port}?mailbox=1", "DATABASE_URL": url}
    code = "import django; django.setup(); from hagukumi.worker.sender import main; main()"
    return subprocess.Popen([sys.executable, "-c", code], env=environment)


def _until(condition, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.02)


def test_killed_in_the_middle_each_mail_goes_at_most_once(message, consenting, queue, server, script):
    ids = consenting(MAILS)
    queue(message, ids)
    for kills in range(1, 4):
        process = _start(server)
        _until(lambda goal=kills * 60: len(script.mails) >= goal)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = _start(server)
    try:
        _until(lambda: not Delivery.objects.filter(state__in=("queued", "sending")).exists())
    finally:
        last.terminate()
        last.wait(20)

    got = [to for to, _content in script.mails]
    assert len(got) == len(set(got))
    states = list(Delivery.objects.values_list("state", flat=True))
    counts = {state: states.count(state) for state in rules.STATES}
    assert sum(counts.values()) == MAILS
    assert counts["sent"] + counts["unknown"] == MAILS
    assert 0 < counts["unknown"] <= 3 * 1000
    sent = set(Delivery.objects.filter(state="sent").values_list("address", flat=True))
    assert sent <= set(got)
    assert set(got) - sent <= set(Delivery.objects.filter(state="unknown").values_list("address", flat=True))


def test_stopped_politely_nothing_is_in_doubt(message, consenting, queue, server, script):
    queue(message, consenting(MAILS))
    process = _start(server)
    _until(lambda: len(script.mails) >= 50)
    process.terminate()
    assert process.wait(20) == 0

    counts = {state: Delivery.objects.filter(state=state).count() for state in rules.STATES}
    assert counts["sent"] == len(script.mails)
    assert counts["sent"] + counts["queued"] == MAILS
