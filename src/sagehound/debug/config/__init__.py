"""What a hook is told: collections, steps, reductions, and the JSON file that has them."""
