"""The media worker: a process of its own that forwards the media of a meeting.

``python -m media_worker`` enrols once, dials one WSS connection to the platform (``link``) and then
does what it is told by messages of ``foundation.wire.worker``: a signed lease admits a participant
to a room (``leases``, ``rooms``), the browser publishes over one peer connection and subscribes
over another (``publish``, ``subscribe``), and packets go from one to the others as they came
(``plane``). ``recorder`` seals what it is told to record. Nothing is decoded, nothing but sealed
segments is stored, and no log line holds an address, an SDP or a token.

aiortc keeps SDP, ICE, DTLS and SCTP. Everything in it that a stranger could misuse is replaced in
``stock``, which names what it relies on and refuses to run on another release.
"""
