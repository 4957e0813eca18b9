"""systemd units: each service as an ordinary user of its own, which may reach no more than it needs.

The user's name is the name of the service's database role, so that PostgreSQL knows it by the socket it comes through
and no password is kept. Source: systemd.exec(5), systemd.resource-control(5).
"""

from dataclasses import dataclass
from pathlib import Path

from lamplighter.install.database import DATABASE, OWNER
from lamplighter.install.logins import URL_FILES
from storage.roles import RIGHTS, role_of

GROUP = "lamplighter"
"""Reads the settings, which hold no secrets."""
CONFIGURATION = Path("/etc/lamplighter")
SETTINGS = CONFIGURATION / "lamplighter.toml"
SECRETS = CONFIGURATION / "secrets"
STATE = Path("/var/lib/lamplighter")
BACKUPS = Path("/var/backups/lamplighter")
FOLDER = Path("/etc/systemd/system")
BACKUPS_KEPT = 14
SOCKETS = Path("/run/postgresql")

_HARDENED = """\
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
"""
_HERE_ONLY = "IPAddressDeny=any\nIPAddressAllow=localhost\n"
_RESTARTED = "Restart=always\nRestartSec=2\nWatchdogSec=60\nTimeoutStartSec=60\nTimeoutStopSec=30\n"


@dataclass(frozen=True)
class Service:
    """One unit: its command line, its user, and the memory beyond which it is started again, in MiB."""

    name: str
    command: str
    user: str
    memory_mib: int
    stays_here: bool = True
    more: str = ""
    namespaces: str = "yes"


SERVICES = (
    Service("ingest", "ingest --without-upkeep --metrics-port 8081", role_of("ingest"), 1024),
    # Network servers may be anywhere; makers' codecs run in namespaces of their own, where they reach nothing.
    Service(
        "gateway",
        "gateway --metrics-port 8082",
        role_of("gateway"),
        768,
        stays_here=False,
        more="MemoryDenyWriteExecute=no\n",
        namespaces="user net",
    ),
    Service(
        "rules",
        "rules --metrics-port 8083",
        role_of("rules"),
        1024,
        stays_here=False,
        more="StateDirectory=lamplighter/rules\n",
    ),
    Service("api", "api", role_of("api"), 768),
    Service("upkeep", "upkeep --metrics-port 8084", OWNER, 512),
)


def texts(program: Path, *, with_gateway: bool) -> dict[Path, str]:
    """All units by path.

    Args:
        program: the command `lamplighter`, where no home folder hides it.
        with_gateway: whether network servers are named.
    """
    wanted = [service for service in SERVICES if with_gateway or service.name != "gateway"]
    units = {f"lamplighter-{service.name}.service": _service(program, service) for service in wanted}
    units |= {
        "lamplighter.target": _target([*units, "lamplighter-backup.timer"]),
        "lamplighter-migrate.service": _once(program, "migrate", "bring the schema up to date", ""),
        "lamplighter-backup.service": _once(
            program,
            f"backup --keep {BACKUPS_KEPT}",
            "write a backup",
            f"ReadWritePaths={BACKUPS}\nNice=10\nIOSchedulingClass=idle\n",
        ),
        "lamplighter-backup.timer": _TIMER,
    }
    return {FOLDER / name: text for name, text in units.items()}


def users() -> str:
    """The users and their group, for systemd-sysusers."""
    lines = [f'g {GROUP} - -\nu {OWNER} - "Lamplighter owner of the database" {STATE} /usr/sbin/nologin\n']
    lines += [f'u {role_of(name)} - "Lamplighter {name}" {STATE} /usr/sbin/nologin\n' for name in RIGHTS]
    lines += [f"m {role_of(name)} {GROUP}\n" for name in RIGHTS]
    return "".join(lines)


def folders() -> str:
    """The folders that outlive everything, for systemd-tmpfiles, and the broker's, which only root enters beside it."""
    owned = f"d {STATE} 0755 root root -\nd {BACKUPS} 0700 {OWNER} {GROUP} -\nd {SECRETS} 0700 root root -\n"
    return f"{owned}d /run/mosquitto 0700 mosquitto root -\n"


def _service(program: Path, service: Service) -> str:
    needs_broker = service.name in URL_FILES
    names = {"mqtt_url": URL_FILES[service.name]} if needs_broker else {}
    names |= {"gateway_networks": "gateway_networks"} if service.name == "gateway" else {}
    secrets = "".join(f"LoadCredential={name}:{SECRETS / file}\n" for name, file in names.items())
    secrets += "Environment=LAMPLIGHTER_SECRETS_DIR=%d\n" if names else ""
    after = "postgresql.service mosquitto.service" if needs_broker else "postgresql.service"
    return f"""\
[Unit]
Description=Lamplighter: {service.name}
PartOf=lamplighter.target
Requires=lamplighter-migrate.service
After=network-online.target lamplighter-migrate.service {after}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
{_common(program, service.command, service.user)}{secrets}{_RESTARTED}MemoryMax={service.memory_mib}M
MemorySwapMax=0
TasksMax=64
LimitNOFILE=16384
{_HARDENED}RestrictNamespaces={service.namespaces}
{service.more}{_HERE_ONLY if service.stays_here else ""}
[Install]
WantedBy=lamplighter.target
"""


def _once(program: Path, command: str, meaning: str, more: str) -> str:
    remains = "RemainAfterExit=yes\n" if command == "migrate" else ""
    return f"""\
[Unit]
Description=Lamplighter: {meaning}
PartOf=lamplighter.target
After=postgresql.service

[Service]
Type=oneshot
{remains}{_common(program, command, OWNER)}MemoryMax=512M
{more}{_HARDENED}RestrictNamespaces=yes
{_HERE_ONLY}"""


def _common(program: Path, command: str, user: str) -> str:
    database = f"postgresql://{user}@/{DATABASE}?host={SOCKETS}"
    return f"""\
User={user}
Group={GROUP}
ExecStart={program} {command} --config {SETTINGS}
Environment=LAMPLIGHTER_DATABASE_URL={database}
"""


def _target(wanted: list[str]) -> str:
    return f"""\
[Unit]
Description=Lamplighter
Wants={" ".join(wanted)}

[Install]
WantedBy=multi-user.target
"""


_TIMER = """\
[Unit]
Description=Lamplighter: a backup every night
PartOf=lamplighter.target

[Timer]
OnCalendar=*-*-* 03:10:00
RandomizedDelaySec=600
Persistent=yes

[Install]
WantedBy=timers.target
"""
