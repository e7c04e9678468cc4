"""The verbs of meetings, one module each. Every door calls these and nothing else writes."""
