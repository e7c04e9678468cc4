#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys
from pathlib import Path


def main() -> None:
    root = Path(__file__).resolve().parent
    # ``platform`` and ``apps`` are source roots; neither is a package itself.
    sys.path[:0] = [str(root / "platform"), str(root / "apps"), str(root)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
