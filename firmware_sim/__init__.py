"""A simulated city: lamps, drains, bays, storms, the firmware of their devices, and recorded series played again.

Everything a device does is drawn from one seed, so that the same city lives the same life in every run. Devices speak
the city's own topics, or are makers' own (`vendors`) behind network servers (`lorawan`). Behaviours, firmware, makers'
bytes and network servers are pure: the present moment is an argument. Only `fleet` and `replay` speak to a broker,
through `bus`.
"""
