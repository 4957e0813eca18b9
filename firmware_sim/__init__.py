"""A simulated city: lamps, drains, bays, storms, the firmware of their devices, and recorded series played again.

Everything a device does is drawn from one seed, so that the same city lives the same life in every run. Behaviours and
firmware are pure: the present moment is an argument. Only `fleet` and `replay` speak to a broker, through `bus`.
"""
