"""What the hook does while a model trains: listen, copy, hand over."""
