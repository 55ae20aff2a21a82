"""A tuning job as one HTML file that needs nothing else: what is best, what it took, and what mattered."""
