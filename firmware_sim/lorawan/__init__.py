"""Makers' LoRaWAN devices, the air between them and radio gateways, and the network servers that speak for them.

All of it is pure: the present moment is an argument, and what is to be published is the answer. `fleet` carries it.
"""
