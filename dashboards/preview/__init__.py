"""A picture without Grafana: dashboards drawn by Grafana's own UI library from their JSON and their real answers.

For developers, from the source tree: it needs node and npm, and is not part of the wheel.
"""
