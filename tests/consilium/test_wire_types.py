"""What ``make wire`` writes is what lies here, and says what the messages say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from consilium.wire_types import files
from foundation.wire import browser

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("path", "content"), files(REPOSITORY).items(), ids=lambda v: Path(str(v)[:200]).name
)
def test_no_written_file_is_stale(path, content):
    assert path.read_text() == content, "run `make wire`"


def test_every_message_has_a_type_in_the_browser():
    declarations = files(REPOSITORY)[REPOSITORY / "static" / "js" / "wire" / "messages.d.ts"]
    for kind in (*browser.CLIENT_TYPES, *browser.SERVER_TYPES):
        assert f"export interface {kind.__name__} {{" in declarations
        assert f'type: "{kind.model_fields["type"].default}";' in declarations


def test_the_schema_refuses_what_the_reader_refuses():
    schema = json.loads(files(REPOSITORY)[REPOSITORY / "docs/wire/browser-client.v2.schema.json"])
    for definition in schema["$defs"].values():
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False


def test_a_stale_or_missing_file_fails_the_check(tmp_path):
    with override_settings(BASE_DIR=tmp_path):
        with pytest.raises(CommandError, match="stale"):
            call_command("makewire", check=True)
        call_command("makewire")
        call_command("makewire", check=True)
        written = tmp_path / "static" / "js" / "wire" / "messages.d.ts"
        written.write_text(written.read_text() + "// edited\n")
        with pytest.raises(CommandError, match=r"messages\.d\.ts"):
            call_command("makewire", check=True)


def test_what_is_written_does_not_depend_on_the_order_of_anything():
    assert files(REPOSITORY) == files(REPOSITORY)
    assert (
        subprocess.run(
            ["git", "ls-files", "--error-unmatch", *map(str, files(REPOSITORY))],
            cwd=REPOSITORY,
            capture_output=True,
            check=False,
        ).returncode
        == 0
    ), "what is written is kept"
