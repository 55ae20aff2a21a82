"""S3: the embedded server, any other S3 by URL, and the folder that saves a copy."""
