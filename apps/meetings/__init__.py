"""Meetings: who is invited, how each was verified, who waits, who was let in, who is there."""
