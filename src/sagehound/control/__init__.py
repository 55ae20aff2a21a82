"""What makes things happen: loops that bring the world in line with the records."""
