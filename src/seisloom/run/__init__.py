"""The whole system in four steps that every room goes through: write shards, train, calibrate, evaluate.

Applying is `seisloom.bundle.open_predictor(name).apply(source)`.
"""
