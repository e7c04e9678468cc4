"""Recordings: asked for, agreed to, taken, sealed, stored, played, kept and ended.

A recording begins when everybody in the call has agreed. The media worker seals what it takes to
the recording's public key and ships it; what is on the *roll* was taken and will not be lost. From
it films are made and sealed, read back, and only then called stored.
"""
