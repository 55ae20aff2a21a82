"""The report's sections: one file each, a pure function from what was found to HTML."""
