"""Logs: one JSON object a line, so that no text from outside can forge an entry."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 10_000_000
KEPT_FILES = 3


class JsonLines(logging.Formatter):
    """`fields` of a record stand beside its time, level, logger and text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to(target: str, folder: Path) -> str:
    """Send all logs to `target` (as the setting `log`); the place, for people."""
    handler: logging.Handler
    if target == "-":
        handler, place = logging.StreamHandler(sys.stderr), "standard error"
    else:
        path = Path(target) if target else folder / "twinfall.log"
        handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, delay=False)
        place = str(path)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("twinfall").setLevel(logging.INFO)
    logging.captureWarnings(True)
    return place
