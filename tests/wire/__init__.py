"""Tests of the AWS protocols."""
