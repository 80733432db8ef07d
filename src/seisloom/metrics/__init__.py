"""Metrics, the same in training and in evaluation."""
