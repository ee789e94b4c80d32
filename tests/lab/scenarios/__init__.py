"""Tests of any length or number, which a case runs once and a soak for long."""
