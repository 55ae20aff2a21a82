"""Where records live: the `Store` protocol and its SQLite implementation."""
