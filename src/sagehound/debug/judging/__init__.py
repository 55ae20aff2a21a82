"""Rules put to work: over a trial that grows, built in or a user's own."""
