#!/usr/bin/env bash
# dnsmasq can answer every name with one address (address=/#/10.42.0.1), as networks without internet do whose only page
# a phone should find. A question for an IPv4 address is answered. A question of another kind about the same name (AAAA,
# HTTPS), which phones ask along with it, is REFUSED where dnsmasq knows no other name server, as if the server served
# nobody. With local=/#/ besides, such a question gets an empty answer without an error: the name has no such record.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(cat "$folder"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$folder"' EXIT
export PATH=$PATH:/usr/sbin
(cd "$folder" && apt-get download -q dnsmasq-base libnetfilter-conntrack3 libnfnetlink0 libnftables1 libnftnl11 \
    libxtables12 libjansson4 libmnl0 libhogweed6 libnettle8 libgmp10 libdbus-1-3 libidn2-0 >/dev/null 2>&1)
for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/root"; done
LD_LIBRARY_PATH=$(find "$folder/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
dnsmasq="$folder/root/usr/sbin/dnsmasq"
printf 'Debian package %s\n' "$(dpkg-deb -f "$folder"/dnsmasq-base_*.deb Version)"
"$dnsmasq" --version | head -n 1
serve() { # port, options
    "$dnsmasq" --conf-file=/dev/null --no-resolv --no-hosts --no-daemon --user= --port="$1" --listen-address=127.0.0.1 \
        --bind-interfaces "${@:2}" >/dev/null 2>&1 &
    echo $! >"$folder/$1.pid"
}
serve 5391 '--address=/#/10.42.0.1'
serve 5392 '--address=/#/10.42.0.1' '--local=/#/'
sleep 1
unset LD_LIBRARY_PATH
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "dnspython==2.7.0" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import dns.message
import dns.query
import dns.rcode

print("dnspython", dns.__version__)
seen = {}
for title, port in (("address=/#/ alone", 5391), ("with local=/#/", 5392)):
    for kind in ("A", "AAAA", "HTTPS"):
        reply = dns.query.udp(dns.message.make_query("example.org", kind), "127.0.0.1", timeout=5, port=port)
        answers = [str(item) for records in reply.answer for item in records]
        seen[title, kind] = (dns.rcode.to_text(reply.rcode()), answers)
        print(f"{title}: {kind}: {seen[title, kind][0]}, {answers or 'no record'}")
expected = {
    ("address=/#/ alone", "A"): ("NOERROR", ["10.42.0.1"]),
    ("address=/#/ alone", "AAAA"): ("REFUSED", []),
    ("address=/#/ alone", "HTTPS"): ("REFUSED", []),
    ("with local=/#/", "A"): ("NOERROR", ["10.42.0.1"]),
    ("with local=/#/", "AAAA"): ("NOERROR", []),
    ("with local=/#/", "HTTPS"): ("NOERROR", []),
}
sys.exit(seen != expected)
PYTHON
