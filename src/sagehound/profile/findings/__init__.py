"""Rules that look for lost time, or for danger, in a job's profile. One file a rule."""
