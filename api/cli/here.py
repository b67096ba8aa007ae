"""The settings a command runs under."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinfall.api.settings import Settings


def settings(**options: Any) -> Settings:
    """From environment and `twinfall.toml`; options given on the command line win."""
    from twinfall.api.settings import read_settings

    given = {name: value for name, value in options.items() if value is not None}
    return replace(read_settings(os.environ, Path.cwd()), **given)
