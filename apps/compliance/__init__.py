"""The officers' desk: what compliance officers look at, and later jurisdictions and evidence."""
