"""What makers' devices say and understand on the air, written from the makers' own documents, one device a file.

The gateway's decoders were written from the same documents by another hand: a test lets both readings meet.
"""

from firmware_sim.behaviours import BayTraits, DrainTraits
from firmware_sim.city import City, Member
from firmware_sim.speech import NATIVE, Speech
from firmware_sim.vendors import bosch_tps110, decentlab_pr26, milesight_em500_udl, nas_ul20xx
from firmware_sim.vendors.product import Product


def product_of(member: Member) -> Product:
    """The maker's device that serves what this member serves."""
    if isinstance(member.traits, BayTraits):
        return bosch_tps110.PRODUCT
    if isinstance(member.traits, DrainTraits):
        return milesight_em500_udl.PRODUCT if member.traits.reports == "distance_m" else decentlab_pr26.PRODUCT
    return nas_ul20xx.PRODUCT


def models(city: City, speech: Speech) -> dict[str, str]:
    """The maker's model (`vendor/device`) of each device behind a network server, as its payloads are to be read."""
    members = city.members() if speech.parts.keys() - {NATIVE} else ()
    return {each.device: product_of(each).model for each in members if speech.of(each.device, city.seed) != NATIVE}
