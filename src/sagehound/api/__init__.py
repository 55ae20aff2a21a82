"""The operations: one file a resource, small functions from a request and the context to a response."""
