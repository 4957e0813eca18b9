"""A city's own authority for field devices, and the broker's certificate from it, made by openssl.

Devices are given `ca.pem` once and trust no other. The broker's certificate is made anew when it has less than 90 days
left and the installation is run again.
"""

import ipaddress
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lamplighter.install.plan import Command, below

BROKER_GROUP = "mosquitto"
CA_DAYS, DAYS, RENEWED_S = 7300, 825, 90 * 86_400
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_SIGNS = ("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


@dataclass(frozen=True)
class Papers:
    """Where authority and certificate lie; the broker's account reads its key by `mode` and `group`."""

    authority: Path = Path("/etc/lamplighter/authority")
    broker: Path = Path("/etc/mosquitto/certs")
    mode: int = 0o640
    group: str = BROKER_GROUP

    @property
    def ca(self) -> Path:
        """What devices are given."""
        return self.authority / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """What nobody else may have."""
        return self.authority / "ca-key.pem"

    @property
    def certificate(self) -> Path:
        """The broker's."""
        return self.broker / "broker.pem"

    @property
    def key(self) -> Path:
        """The broker's."""
        return self.broker / "broker-key.pem"


def steps(papers: Papers, *names: str) -> list[Command]:
    """What makes the authority where there is none, and a certificate for the broker's names where one is due."""
    request = papers.authority / "broker.csr"
    subject = f"subjectAltName={','.join(map(_alternative, names))}"

    def has_time_left(root: Path) -> bool:
        certificate = below(root, papers.certificate)
        if not (certificate.exists() and below(root, papers.key).exists()):
            return False
        asked = ["openssl", "x509", "-checkend", str(RENEWED_S), "-noout", "-in", str(certificate)]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    return [
        _openssl(
            "make the city's own authority for field devices",
            ("req", "-x509", *_CURVE, "-days", str(CA_DAYS), "-subj", "/CN=Lamplighter field devices", *_SIGNS),
            {"-keyout": papers.ca_key, "-out": papers.ca},
            made=((papers.ca_key, 0o600, "root"), (papers.ca, 0o644, "root")),
            is_done=lambda root: below(root, papers.ca_key).exists() and below(root, papers.ca).exists(),
        ),
        _openssl(
            "make the broker's key",
            ("req", *_CURVE, "-subj", f"/CN={names[0]}", "-addext", subject),
            {"-keyout": papers.key, "-out": request},
            made=((papers.key, papers.mode, papers.group),),
            is_done=has_time_left,
        ),
        _openssl(
            "make the broker's certificate",
            ("x509", "-req", "-CAcreateserial", "-days", str(DAYS), "-copy_extensions", "copyall"),
            {"-in": request, "-CA": papers.ca, "-CAkey": papers.ca_key, "-out": papers.certificate},
            made=((papers.certificate, 0o644, "root"),),
            is_done=has_time_left,
        ),
    ]


def _openssl(
    meaning: str,
    options: tuple[str, ...],
    files: Mapping[str, Path],
    made: tuple[tuple[Path, int, str], ...],
    is_done: Callable[[Path], bool],
) -> Command:
    placed = [word for option, path in files.items() for word in (option, f"{{root}}{path}")]
    return Command(("openssl", *options, *placed), meaning, made=made, is_done=is_done, goes_elsewhere=True)


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"
