"""What must arrive: rows written with the change they announce, delivered at least once.

``publish`` writes a row in the caller's transaction. A relay in each web process claims rows and
delivers them by topic (``relay``); the sweeper finishes what a dead process left (``sweeper``).
Deliveries may repeat and may overtake each other: a receiver re-reads state or compares a number.
"""
