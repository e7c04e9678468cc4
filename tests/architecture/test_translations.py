"""Every text that people read is in the catalogue, and the catalogue is complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.servers.processes import REPOSITORY

#: What holds texts. Copied, because collecting writes into the catalogues.
PARTS = ("apps", "locale", "platform", "static/js", "templates")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The Spanish catalogues as they would be if the texts were collected now."""
    tree = tmp_path_factory.mktemp("texts")
    for part in PARTS:
        shutil.copytree(REPOSITORY / part, tree / part)
    # Collecting needs no settings, and ours are not among what was copied.
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    for domain in ("django", "djangojs"):
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "--locale", "es", "--domain", domain],
            cwd=tree,
            env=environment,
            check=True,
            capture_output=True,
        )
    return tree / "locale" / "es" / "LC_MESSAGES"


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("lack", ["--untranslated", "--only-fuzzy"])
def test_every_text_has_its_spanish(collected, domain, lack):
    missing = subprocess.run(
        ["msgattrib", lack, "--no-obsolete", f"{domain}.po"],
        cwd=collected,
        check=True,
        capture_output=True,
        text=True,
    )
    assert missing.stdout == ""
