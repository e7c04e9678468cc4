"""What starts an installation on one machine: certificate, child processes, their supervision.

Nothing in here imports Django: the supervisor stays small and starts at once. ``supervisor.py``
above puts the pieces together.
"""
