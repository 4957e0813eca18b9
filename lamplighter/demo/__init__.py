"""The whole city on embedded parts: broker, database, simulated devices, and all services in one process."""
