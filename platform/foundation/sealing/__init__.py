"""How recordings are sealed: segments, stored objects and manifests, as FORMAT.md beside this says.

FORMAT.md is the specification; where code and page disagree, the code is wrong. The vectors in
``tests/vectors/sealing`` show every rule and pass through this code.

    segment.py    one to two seconds, sealed by HPKE to a key whose other half the sealer lacks
    records.py    what is inside a segment
    runs.py       a media worker's unbroken row of segments, chained as it writes
    reading.py    a recording's segments, against the roll and in order
    stored.py     one film for years: written as a stream, read at any offset
    manifest.py   what was stored, signed; ``canonical.py`` and ``shape.py`` are parts of it
    whole.py      a manifest and all its objects
    errors.py     the names of what can be wrong

No Django, no files, no network: callers give functions that fetch bytes. The media worker needs
``runs`` and ``records``, and is never given a key that opens. Keys are bytes that callers hold;
nothing in here logs or shows one.

Compatibility: within a version no byte of a segment or an object ever changes, and what this code
wrote once it reads for as long as it may exist. A manifest may gain members, which older readers
ignore. A new version gets new modules beside these, never an ``if`` inside them.
"""
