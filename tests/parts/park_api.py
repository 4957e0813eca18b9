"""ParkAPI's own code, as whoever takes our words into ParkAPI has it. It takes long to load: only for who asks it."""

from lxml import etree
from parkapi_sources.converters.base_converter.datex2 import (
    ParkingRecordStatusMixin,
    UrbanParkingSiteMixin,
)
from parkapi_sources.converters.base_converter.push import ParkApiConverter
from parkapi_sources.models import (
    RealtimeParkingSiteInput,
    RealtimeParkingSpotInput,
    SourceInfo,
    StaticParkingSiteInput,
    StaticParkingSpotInput,
)
from parkapi_sources.models.enums import ParkingAudience, ParkingSiteType, ParkingSpotType
from parkapi_sources.util import ConfigHelper, RequestHelper, XMLHelper
from validataclass.validators import DataclassValidator

TOWN = SourceInfo(uid="town", name="Town", has_realtime_data=True)
AUDIENCES = {each.value for each in ParkingAudience}
SITE_TYPES = {each.value for each in ParkingSiteType}
SPOT_TYPES = {each.value for each in ParkingSpotType}

Standing, Present = list[StaticParkingSiteInput], list[RealtimeParkingSiteInput]


class _TownConverter(ParkApiConverter):
    """What somebody would write who takes our list into ParkAPI by push."""

    source_info = TOWN


class _Datex2Reader(UrbanParkingSiteMixin, ParkingRecordStatusMixin):
    """ParkAPI's readers of the table and of the status that the Mobilithek carries."""

    source_info = TOWN
    xml_helper = XMLHelper()


def sites(listed: dict[str, object]) -> tuple[Standing, Present]:
    """What ParkAPI takes from our list of sites; an assertion fails where it refuses one."""
    config = ConfigHelper(config={})
    converter = _TownConverter(config_helper=config, request_helper=RequestHelper(config_helper=config))
    taken, errors = converter.handle_json(listed)
    assert not errors
    return (
        [each for each in taken if isinstance(each, StaticParkingSiteInput)],
        [each for each in taken if isinstance(each, RealtimeParkingSiteInput)],
    )


def spot(item: dict[str, object]) -> tuple[StaticParkingSpotInput, RealtimeParkingSpotInput]:
    """What ParkAPI reads of one of our spots."""
    return tuple(DataclassValidator(each).validate(item) for each in (StaticParkingSpotInput, RealtimeParkingSpotInput))


def datex_xml(written: bytes) -> tuple[Standing, Present]:
    """What ParkAPI reads of our DATEX II; an assertion fails where it refuses any."""
    root = etree.fromstring(written)
    reader = _Datex2Reader()
    reader.static_validator = UrbanParkingSiteMixin.static_validator
    standing, errors = reader._handle_static_xml_data(root)
    assert not errors
    present, errors = reader._handle_realtime_xml_data(root)
    assert not errors
    return standing, present
