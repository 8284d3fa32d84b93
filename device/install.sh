#!/bin/bash
# Installs, or brings up to date, a camera as a service of its own on a Linux host with systemd. Run as root, from the
# repository or a copy of it:  sudo device/install.sh   (takes Python 3.11 or newer; PYTHON=… chooses one)
# Afterwards:  sudo -u formlens /opt/formlens/formlens.sh enroll --name hall   and  systemctl enable --now formlens-camera
#
# ROOT=folder puts everything below that folder and leaves users and systemd alone: for a look, and for the tests.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
root=${ROOT:-}
python=${PYTHON:-python3}
home=$root/opt/formlens

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "formlens: $python is older than 3.11; install a newer one and set PYTHON" >&2; exit 2; }
if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    echo "formlens: the installer makes a user and a service: run it with sudo" >&2; exit 2
fi

# a fresh folder beside the old one, exchanged at the end: an installation that is broken off leaves the old one running
mkdir -p "$root/opt"
fresh=$(mktemp -d "$root/opt/formlens.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
chmod 755 "$fresh"
cp -r "$here/formlens" "$here/lambda" "$fresh/"
find "$fresh" -name __pycache__ -prune -exec rm -rf {} +
cp "$here/device/start.py" "$fresh/"
cat > "$fresh/formlens.sh" <<'END'
#!/bin/sh
exec /opt/formlens/venv/bin/python -I -c 'import sys; sys.path[:0] = ["/opt/formlens"]; from formlens.cli import main; main()' "$@"
END
chmod 755 "$fresh/formlens.sh"
if [ -z "${NO_PACKAGES:-}" ]; then
    "$python" -m venv "$fresh/venv"
    "$fresh/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: --require-hashes \
        -r "$here/device/requirements.txt"
    # the environment is moved to its place below; its scripts would name the old one, so only python itself is used
    "$fresh/venv/bin/python" -I -c "import sys; sys.path[:0] = ['$fresh', '$fresh/lambda']; import camera" || {
        echo "formlens: what was installed cannot be imported; nothing was changed" >&2; exit 1; }
fi

if [ -z "$root" ]; then
    id formlens >/dev/null 2>&1 || useradd --system --home-dir /var/lib/formlens --shell /usr/sbin/nologin formlens
    usermod -aG video formlens
    install -d -o formlens -g formlens -m 700 /etc/formlens /var/lib/formlens
else
    install -d -m 700 "$root/etc/formlens" "$root/var/lib/formlens"
fi
rm -rf "$home.before"
[ ! -e "$home" ] || mv "$home" "$home.before"
mv "$fresh" "$home"
trap - EXIT
install -D -m 644 "$here/device/formlens-camera.service" "$root/etc/systemd/system/formlens-camera.service"
if [ -z "$root" ]; then
    systemctl daemon-reload
    systemctl try-restart formlens-camera
fi
echo "formlens: installed in $home; the version before is in $home.before"
