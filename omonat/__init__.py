"""Omonat runs a company's privacy policy: publishes it, enforces it on every use of personal data, and proves it."""

__version__ = "0.1.0"
