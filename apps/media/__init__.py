"""Media workers and media paths: who carries a call, and how a page gets onto it.

A *worker* is enrolled once and dials in; its *presence* is a lease in the database. A governed
room is *placed* on one worker. A *path* is one person's way into the media of a call; each try
is an *epoch*, and what belongs to an older epoch is dropped by everybody.
"""
