# Sourced: installing packages of the distribution where that is permitted.

# Run a command as root; fails where we may not.
as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo --non-interactive "$@"; fi
}

may_be_root() {
  [[ $EUID -eq 0 ]] || { command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; }
}

# Install packages of Debian or a relative of it; fails, saying nothing, where that cannot be.
install_packages() {
  command -v apt-get >/dev/null && may_be_root || return 1
  echo "Installing $* …" >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@" >/dev/null 2>&1 && return
  as_root apt-get update >/dev/null 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@" >/dev/null 2>&1
}

# Whether a program is there, also where an ordinary user's search path does not lead.
has() {
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null
}
