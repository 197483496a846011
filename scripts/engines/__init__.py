"""Engines that are not on the package index, fetched once and run here without root."""
