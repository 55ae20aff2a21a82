"""The sections of the page: each a function of the study, in a file of its own."""
