"""Trainings that are as they should be."""
