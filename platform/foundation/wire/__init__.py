"""Versioned messages: browser ↔ server (``browser``) and server ↔ media worker (``worker``).

docs/protocol.md is the prose these types follow. A message is one JSON object with a ``type``.
Within a version unknown types and unknown fields are refused; the previous version is always
spoken too, so a rolling deployment never breaks a call.

``make wire`` writes the JSON Schema and the browser's types from here; stale output fails
``make check``.
"""
