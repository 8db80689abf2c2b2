"""Every test stands on a real PostgreSQL, started once from the wheel and thrown away."""

import os
import tempfile
from pathlib import Path

_home = Path(tempfile.mkdtemp(prefix="hagukumi-test-"))
os.environ.setdefault("HAGUKUMI_HOME", str(_home))
os.environ.setdefault("HAGUKUMI_SECRET_KEY", "only-for-tests")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hagukumi.config.settings")

from hagukumi.embedded.postgres import EmbeddedPostgres  # noqa: E402

_postgres: EmbeddedPostgres | None = None
if not os.environ.get("HAGUKUMI_TEST_DATABASE_URL"):
    _postgres = EmbeddedPostgres(_home / "pg", durable=False)
    _postgres.start()
    os.environ["DATABASE_URL"] = _postgres.url
else:
    os.environ["DATABASE_URL"] = os.environ["HAGUKUMI_TEST_DATABASE_URL"]


def pytest_unconfigure() -> None:
    if _postgres:
        _postgres.stop()
