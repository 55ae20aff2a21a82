"""What every page that Sagehound writes is made of: escaped markup, one frame, charts that need no network."""
