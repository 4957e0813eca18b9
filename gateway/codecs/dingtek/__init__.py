"""Dingtek, maker of ultrasonic level sensors."""
