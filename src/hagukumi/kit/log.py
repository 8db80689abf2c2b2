"""One way to log: structlog, for our own lines and for those of the libraries, to standard error.

Readable lines by default; one JSON object per line where HAGUKUMI_LOG=json. HAGUKUMI_DEBUG=1 shows debug lines.
"""

import logging
import os
import sys

import structlog
from structlog.typing import Processor

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
_CHATTY = ("asyncio", "mail.log", "django.request", "fontTools", "procrastinate")


def configure(part: str = "") -> None:
    """Send every logger of this process through structlog. `part` (web, worker ...) stands on each line."""
    as_json = os.environ.get("HAGUKUMI_LOG") == "json"
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        # plain tracebacks: rich ones print local variables, which are our customers' people
        plain = structlog.dev.plain_traceback
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if os.environ.get("HAGUKUMI_DEBUG") == "1" else logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    if part:
        structlog.contextvars.bind_contextvars(part=part)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes an event and its facts: `log.info("beat", lag_ms=12)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
