"""Organisations, departments, people and memberships; sign-in and how surely a person is known."""
