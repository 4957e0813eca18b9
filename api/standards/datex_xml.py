"""The zones as DATEX II v2.3 has them, XML as the Mobilithek carries it: table and status in one publication."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from api.standards.shown import Shown, capacity, label, reserved, trend
from api.standards.vocabulary import ZONE
from telemetry.availability import ZoneAvailability

PATH = "/public/v1/parking.datex2.xml"
NAMESPACE = "http://datex2.eu/schema/2/2_0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPE = f"{{{XSI}}}type"
TABLE = "parking"
VERSION = "1"
STATUS = {"open": "spacesAvailable", "almost_full": "almostFull", "full": "full", "closed": "unknown"}

ElementTree.register_namespace("xsi", XSI)


def publication(shown: Shown) -> bytes:
    """The document; zones without a place are left out, as the model demands one."""
    root = Element("d2LogicalModel", {"xmlns": NAMESPACE, "modelBaseVersion": "2"})
    _identifier(SubElement(SubElement(root, "exchange"), "supplierIdentification"), shown.publisher)
    payload = SubElement(root, "payloadPublication", {TYPE: "GenericPublication", "lang": "de"})
    _text(payload, "publicationTime", shown.updated_at)
    _identifier(SubElement(payload, "publicationCreator"), shown.publisher)
    _text(payload, "genericPublicationName", "Parking")
    extension = SubElement(payload, "genericPublicationExtension")
    if shown.placed:
        _tables(extension, shown)
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _tables(extension: Element, shown: Shown) -> None:
    """The zones and their states; the model has no empty table, so there is to be a zone."""
    table_publication = SubElement(extension, "parkingTablePublication")
    _header(table_publication)
    table = SubElement(table_publication, "parkingTable", {"id": TABLE, "version": VERSION})
    _text(table, "parkingTableVersionTime", shown.updated_at)
    statuses = SubElement(extension, "parkingStatusPublication")
    reference = {"id": TABLE, "version": VERSION, "targetClass": "ParkingTable"}
    SubElement(statuses, "parkingTableReference", reference)
    _header(statuses)
    for zone, lat, lon in shown.placed:
        _record(table, zone, lat, lon)
        _status(statuses, zone)


def _record(table: Element, zone: ZoneAvailability, lat: float, lon: float) -> None:
    record = SubElement(table, "parkingRecord", {TYPE: "UrbanParkingSite", "id": zone.zone, "version": VERSION})
    values = SubElement(SubElement(record, "parkingName"), "values")
    _text(values, "value", label(zone.name, zone.zone)).set("lang", "de")
    _text(record, "parkingRecordVersionTime", zone.updated_at)
    _text(record, "parkingNumberOfSpaces", capacity(zone))
    _text(record, "parkingOccupanyDetectionType", "singleSpaceDetection")
    location = SubElement(record, "parkingLocation", {TYPE: "Point"})
    coordinates = SubElement(SubElement(location, "pointByCoordinates"), "pointCoordinates")
    _text(coordinates, "latitude", lat)
    _text(coordinates, "longitude", lon)
    _assigned(record, zone)
    _text(record, "parkingLayout", "openSpace")
    _text(record, "urbanParkingSiteType", ZONE.datex_xml)


def _assigned(record: Element, zone: ZoneAvailability) -> None:
    """For whom alone some of the bays are; users stand before vehicles."""
    words = {whom.datex_member: whom.datex for whom, _ in reserved(zone)}
    if words:
        assigned = SubElement(record, "assignedParkingAmongOthers")
        if "user" in words:
            _text(assigned, "applicableForUser", words["user"])
        if "fuelType" in words:
            _text(SubElement(assigned, "vehicleCharacteristics"), "fuelType", words["fuelType"])


def _status(statuses: Element, zone: ZoneAvailability) -> None:
    status = SubElement(statuses, "parkingRecordStatus", {TYPE: "ParkingSiteStatus"})
    reference = {"id": zone.zone, "version": VERSION, "targetClass": "ParkingRecord"}
    SubElement(status, "parkingRecordReference", reference)
    _text(status, "parkingStatusOriginTime", zone.updated_at)
    occupancy = SubElement(status, "parkingOccupancy")
    _text(occupancy, "parkingNumberOfSpacesOverride", zone.capacity)
    _text(occupancy, "parkingNumberOfVacantSpaces", zone.free)
    _text(occupancy, "parkingNumberOfOccupiedSpaces", zone.occupied)
    if zone.capacity:
        _text(occupancy, "parkingOccupancy", round(100 * zone.occupied / zone.capacity, 1))
    _text(occupancy, "parkingOccupancyTrend", trend(zone))
    _text(status, "parkingSiteStatus", "unknown" if zone.stale else STATUS[zone.status])
    _text(status, "parkingSiteOpeningStatus", "closed" if zone.status == "closed" else "open")


def _header(publication: Element) -> None:
    header = SubElement(publication, "headerInformation")
    _text(header, "confidentiality", "noRestriction")
    _text(header, "informationStatus", "real")


def _identifier(element: Element, publisher: str) -> None:
    _text(element, "country", "de")
    _text(element, "nationalIdentifier", label(publisher, "Lamplighter"))


def _text(parent: Element, tag: str, value: object) -> Element:
    element = SubElement(parent, tag)
    element.text = str(value)
    return element
