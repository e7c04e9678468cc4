"""Who may do what: verbs, facts, one policy table, the gate, grants, actions and the AdminSite.

``policy.decide`` is pure and reads one table. ``gate`` is its only caller. ``action`` is how a
change happens: check, change, log, announce, in one transaction.
"""
