"""Conformance suites of the interfaces, and doubles to test with."""
