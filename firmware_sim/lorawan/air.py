"""The radio gateways of a town: who hears whom, and when one is away."""

from dataclasses import dataclass

from firmware_sim.chance import Chance
from firmware_sim.faults import DeviceFaults, Faults
from firmware_sim.lorawan.frames import Reception

GATEWAYS = 4
REACH_MAX = 3
"""A device is heard by 1 to so many radio gateways."""
HEARD = 0.85
"""The share of frames that a radio gateway further away hears, too."""
RSSI_DBM = (-118.0, -72.0)
SENSITIVITY_DBM = -126.0


@dataclass(frozen=True, slots=True)
class RadioGateway:
    """One radio gateway; `eui` in lower case."""

    eui: str
    faults: DeviceFaults

    def away(self, now_us: int) -> bool:
        """Whether it is cut off from the network server."""
        return self.faults.gateway_back_us(now_us) is not None


class Air:
    """Who hears whom, drawn from the town's seed."""

    def __init__(self, faults: Faults, seed: int, gateways: int = GATEWAYS) -> None:
        self.gateways = []
        for number in range(gateways):
            chance = Chance.seeded("radio gateway", seed, number)
            self.gateways.append(RadioGateway(f"0016c001{chance.key >> 32:08x}", DeviceFaults(faults, chance)))
        self._seed = seed

    def heard(self, eui: str, draw: int, now_us: int) -> list[Reception]:
        """How a transmission of the device is heard, best first; empty where all gateways in its reach are away."""
        chance = Chance.seeded("air", self._seed, eui)
        reach = min(1 + chance.whole(REACH_MAX), len(self.gateways))
        first = chance.whole(len(self.gateways), 1)
        noise = chance.of("noise", draw)
        heard = []
        for nth in range(reach):
            gateway = self.gateways[(first + nth) % len(self.gateways)]
            if gateway.away(now_us) or (nth and not noise.happens(HEARD, nth)):
                continue
            rssi_dbm = chance.between(*RSSI_DBM, 2 + nth) - 4.0 * nth + noise.between(-3.0, 3.0, 10 + nth)
            snr_db = min(13.5, max(-20.0, (rssi_dbm - SENSITIVITY_DBM) / 4.0))
            heard.append(Reception(gateway.eui, round(rssi_dbm), round(snr_db, 1)))
        return sorted(heard, key=lambda reception: -reception.rssi_dbm)
