"""Real training curves as a space to search: tables of whole grids of configurations, recorded once by `record.py`."""
