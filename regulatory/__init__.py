"""Extracts for regulators: declared profiles, validated rows, numbered and reproducible packages (监管报送)."""

from regulatory.extract import ExtractRefused, PackageReport, ValidationFailed, extract
from regulatory.profile import Profile, ProfileError, load_profile, profile_ids

__all__ = [
    "ExtractRefused",
    "PackageReport",
    "Profile",
    "ProfileError",
    "ValidationFailed",
    "extract",
    "load_profile",
    "profile_ids",
]
