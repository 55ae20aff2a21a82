"""What the service remembers: frozen records, each with one table of legal state transitions."""
