"""AWS protocols, driven by the service models of botocore: parse, validate, serialize, errors, signatures."""
