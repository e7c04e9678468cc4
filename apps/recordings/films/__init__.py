"""From opened segments to films: seekable WebM, nothing transcoded, nothing in clear on a disk.

    plan.py       which films there are, how long and how many bytes; then each film, as a stream
    clock.py      everybody's frames on one clock: the recording's
    takes.py      what is measured of each stretch of a stream, and the lines through it
    stalls.py     the moments that a microphone never sampled
    reel.py       one film's frames in order of time, and what is left out
    webm.py       blocks grouped into clusters, and the head with cues that goes before them
    ebml.py       elements as bytes (RFC 8794)
    payloads.py   what can be told of a VP8 frame and an Opus packet without decoding it
    gaps.py       what is missing, for the manifest

No Django, no files, no network, no keys. Segments are read three times: once to learn the clocks,
once to measure, and once for each film to write it, because a stored object's header says how long
the film is before its first byte. The same segments give the same bytes. Memory grows with the
number of cues, not of frames.
"""
