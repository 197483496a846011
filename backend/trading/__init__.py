"""Quotes and unsigned transactions for traders."""
