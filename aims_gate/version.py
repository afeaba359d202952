"""The version of this package: the one place where it stands, for the build as well."""

__version__ = "0.1.0"
