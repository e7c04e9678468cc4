"""Records a room: from RTP packets to sealed segments on their way to the platform.

``frames``   puts packets together again to encoded frames, and says what is missing.
``clock``    the run's clock.
``capture``  watches one source, as somebody in the room would, and writes records of it.
``segments`` cuts records every second and has them sealed, in a thread and in order.
``spool``    keeps sealed segments on disk until the platform has them.
``shipping`` takes them there, over ``door``.
``recorder`` is one recording of one room; ``recorders`` is all of them, by the platform's orders.

Nothing is decoded, and nothing that was not sealed to the recording's public key touches a disk:
the worker itself cannot read what it has written (foundation/sealing/FORMAT.md, section 2).
Whatever goes wrong in here ends a recording and never a call.
"""
