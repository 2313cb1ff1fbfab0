"""Regulator extracts: profiles, rendering, checks, packages."""
