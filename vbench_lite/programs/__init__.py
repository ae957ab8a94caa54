"""Runs programs of users in their own environments, with time limits, and ends their whole process trees."""
