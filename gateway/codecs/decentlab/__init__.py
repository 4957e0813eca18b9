"""Decentlab, maker of environmental sensors."""
