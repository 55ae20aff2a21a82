"""Serving: the handler contract of a SageMaker endpoint, and the worker process that answers one endpoint instance.

A library by itself: `python -m sagehound.serve.worker --port 8080` serves the model in `/opt/ml/model`.
"""
