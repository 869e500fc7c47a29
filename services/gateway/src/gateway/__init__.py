"""The one door: who calls, how often, where to."""
