"""What notebooks use to look at a profile: readers, frames and charts, by the names of the original's library."""
