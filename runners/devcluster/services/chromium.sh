#!/usr/bin/env bash
# Chromium, by which tests look at pages. It is no server: there is install, and then `chromium`.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=chromium VERSION="as Debian has it"

service_install() {
  ! command -v chromium >/dev/null || return 0
  need apt-get
  umask 022 # what is installed is for all users
  local as=()
  ((EUID == 0)) || as=(sudo -n)
  # A font too: without one a page has no text.
  "${as[@]}" apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive "${as[@]}" apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >&2 ||
    die "install Debian's package chromium"
}

main "$@"
