"""Static pages for managers."""
