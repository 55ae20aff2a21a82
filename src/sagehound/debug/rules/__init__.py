"""The built-in rules, one a file; `registry` has them by name."""
