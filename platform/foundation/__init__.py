"""Bricks without Django, shared by the web application and the media worker.

Nothing in here may import Django, an app or the media worker; the import contract in
``pyproject.toml`` enforces it. ``foundation.wire`` and ``foundation.sealing`` are all that
``media_worker`` may use.
"""
