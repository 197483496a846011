"""Fits the learned models apart from the running product: needs the environment of `requirements-train.lock`."""
