#!/bin/sh
# pip 25.3, `pip install --target FOLDER`: the RECORD of what was installed names the package's command as `../../bin/NAME`.
# Seen from the target that is a place outside of it: the file itself is in FOLDER/bin. The line holds the hash of the
# command, and in its first line stands the Python that ran pip. So two installations of one wheel differ in RECORD, for no
# other reason than where the virtual environment of pip was: whoever wants equal trees has to drop that line.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
for name in one another; do
    "$python" -m venv "$work/$name"
    "$work/$name/bin/python" -m pip install --quiet --disable-pip-version-check pip==25.3
    "$work/$name/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
        --target "$work/$name-target" tqdm==4.67.1
done
record=tqdm-4.67.1.dist-info/RECORD
echo "in RECORD: $(grep bin/tqdm "$work/one-target/$record")"
echo "the file:  $(cd "$work/one-target" && ls bin/tqdm)"
grep -q '^\.\./\.\./bin/tqdm,sha256=' "$work/one-target/$record"
[ ! -e "$work/one-target/../../bin/tqdm" ]
[ -f "$work/one-target/bin/tqdm" ]
differ=$(diff "$work/one-target/$record" "$work/another-target/$record" | grep '^<' || true)
echo "the two differ in: $differ"
[ "$(echo "$differ" | wc -l)" = 1 ]
case $differ in '< ../../bin/tqdm,'*) ;; *) exit 1 ;; esac
echo 'as described'
