"""Helpers that several test packages share. No tests and no production code here."""
