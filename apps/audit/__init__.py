"""The append-only trail of every decision that matters.

A row is canonical JSON (RFC 8785) without foreign keys and without personal text; what names a
person stands apart, sealed, so that it can be shredded without touching the row. Rows are written
in the transaction of the change. The database itself refuses UPDATE and DELETE on them. Their
order and the Merkle tree over them come later and need no change of the rows.
"""
