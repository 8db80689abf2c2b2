"""One way to log: structlog, for our own lines and for those of the libraries, to standard error.

What strangers sent is made harmless: no line begins where a value has a line break, and the long random parts of
addresses (invitations, unsubscribe, downloads) are cut, for whoever reads the log could otherwise use them.

Readable lines by default; one JSON object per line where HAGUKUMI_LOG=json. HAGUKUMI_DEBUG=1 shows debug lines.
"""

import io
import logging
import os
import re
import sys
import traceback

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SECRET = re.compile(r"(?<=[/=])([\w.:~%-]{4})[\w.:~%+-]{16,}")
_OURS = ("exception", "stack", "logger", "timestamp", "level")
_CHATTY = ("asyncio", "mail.log", "django.request", "fontTools", "procrastinate")


def configure(part: str = "") -> None:
    """Send every logger of this process through structlog. `part` (web, worker ...) stands on each line."""
    as_json = os.environ.get("HAGUKUMI_LOG") == "json"
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, harmless]
    if as_json:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_indented))
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


def harmless(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """A processor: control characters of texts shown as escapes, long random parts of addresses cut to four signs."""
    for key, value in event_dict.items():
        if isinstance(value, str) and key not in _OURS:
            event_dict[key] = _SECRET.sub(r"\1…", _CONTROL.sub(_escaped, value))
    return event_dict


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")


def _indented(out: io.TextIOBase | object, exc_info: ExcInfo) -> None:
    """Plain tracebacks (rich ones print local variables, which are our customers' people), set off from lines of ours:
    an exception's own text may hold what a stranger wrote."""
    text = "".join(traceback.format_exception(*exc_info))
    out.write("".join(f"\n  | {line}" for line in text.splitlines()))  # type: ignore[union-attr]


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes an event and its facts: `log.info("beat", lag_ms=12)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
