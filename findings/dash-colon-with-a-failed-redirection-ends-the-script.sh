#!/usr/bin/env bash
# `: >file` makes or empties a file. Where the file cannot be opened, dash (Debian's /bin/sh) ends the whole script there,
# even in the condition of an `if` and without `set -e`: `:` is a special builtin of POSIX, and an error of its redirection
# ends a shell that is not interactive. `true >file` does the same work and only fails. bash goes on in both cases, so a
# script that was tried in bash loses its "else" in a unit of systemd. shellcheck 0.9 says nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download -q dash >/dev/null 2>&1 && dpkg -x dash_*.deb root)
printf 'Debian package dash %s\n' "$(dpkg-deb -f "$folder"/dash_*.deb Version)"
printf '%s\n' "$(bash --version | head -n 1)"
dash=$(find "$folder/root" -type f -name dash -perm -u+x | head -n 1)
for word in : true; do
    printf 'if %s >/nowhere/file; then echo made; else echo "not made"; fi\necho "goes on"\n' "$word" >"$folder/$word.sh"
done
seen=
for shell in "$dash" bash; do
    for word in : true; do
        said=$("$shell" "$folder/$word.sh" 2>/dev/null | paste -sd, || true)
        printf '%s, %s >file: %s\n' "$(basename "$shell")" "$word" "${said:-ends at once, without a word}"
        seen="${seen}[$said]"
    done
done
[ "$seen" = '[][not made,goes on][not made,goes on][not made,goes on]' ] || {
    echo "this has changed" >&2
    exit 1
}
