"""The WebSocket door of a meeting: hello with a ticket, then messages, each with its verb."""
