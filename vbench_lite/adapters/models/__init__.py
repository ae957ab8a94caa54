"""Adapters that load a model's weights into their own process."""
