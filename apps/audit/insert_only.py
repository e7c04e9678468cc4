"""Database triggers that refuse UPDATE, DELETE and TRUNCATE of trail rows.

They stop mistakes and any application account; a database superuser can drop them, which is what
the signed tree over the rows is for.
"""

from __future__ import annotations

from typing import Any

TABLE = "audit_trailrow"


def add_triggers(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for event in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER trail_no_{event.lower()} BEFORE {event} ON {TABLE} "
                "BEGIN SELECT RAISE(ABORT, 'the trail is insert-only'); END"
            )
    elif vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION trail_is_insert_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the trail is insert-only'; END $$"
        )
        schema_editor.execute(
            f"CREATE TRIGGER trail_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION trail_is_insert_only()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER trail_no_truncate BEFORE TRUNCATE ON {TABLE} "
            "FOR EACH STATEMENT EXECUTE FUNCTION trail_is_insert_only()"
        )
    else:
        raise RuntimeError(f"no insert-only triggers for {vendor}")


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER trail_no_update")
        schema_editor.execute("DROP TRIGGER trail_no_delete")
    elif vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION trail_is_insert_only() CASCADE")


def add_replace_trigger(apps: Any, schema_editor: Any) -> None:
    """SQLite's ``REPLACE`` removes a row without asking any DELETE trigger; this one stops it."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(
            "CREATE TRIGGER trail_no_replace BEFORE INSERT ON audit_trailrow "
            "WHEN EXISTS (SELECT 1 FROM audit_trailrow WHERE id = NEW.id OR uuid = NEW.uuid) "
            "BEGIN SELECT RAISE(ABORT, 'the trail is insert-only'); END"
        )


def drop_replace_trigger(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER trail_no_replace")
