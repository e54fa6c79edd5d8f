"""One conversion from its options to its last word: told, judged, drawn, and written or refused."""

import sys
from argparse import Namespace

from cuelens_convert import batch, summary
from cuelens_convert.compare import Limits
from cuelens_convert.convert import Asked, convert
from cuelens_convert.diagnose import examine
from cuelens_convert.source import Told, open_source
from cuelens_models.atomic_file import write_whole
from cuelens_models.data.load import FaceData
from cuelens_models.errors import Refused
from cuelens_models.progress import display


def convert_one(given: Namespace, data: FaceData, digest: str | None) -> int:
    """Convert. digest: the content digest that is asked for, if one is. Raises Refused if it is not to be written."""
    source = open_source(given.models[0], Told(given.labels, given.pixels, given.protocol))
    for line in (*data.notes, *summary.found_out(source)):
        print(line)
    asked = Asked(
        given.scheme,
        Limits(given.max_drop, given.max_class_drop, given.min_agreement),
        given.representative,
        given.images,
        given.fine_tune,
        given.seed,
    )
    examined = None
    with display(sys.stdout, extra="convert", stage_line="{} ...") as steps:
        outcome = convert(source, data, asked, steps)
        if outcome.refusal or given.report:
            steps.stage("looking into the layers")
            examined = examine(outcome)
    print("\n".join(summary.result(outcome)))
    if given.report and examined:
        from cuelens_convert.page import page  # matplotlib, which costs a second

        drawn = page(outcome, examined, batch.command_line(given))
        write_whole(given.report / "index.html", drawn.encode())
    if outcome.refusal and examined:
        print("\n".join(summary.advice(examined.errors, examined.spread, outcome)))
        raise Refused(f"{given.scheme} is refused: {outcome.refusal}: nothing was written")
    found = outcome.contract.content_digest
    if digest not in (None, found):
        raise Refused(f"the content digest is {found}, {given.expect} has {digest}: nothing was written")
    write_whole(given.output, outcome.bundle)
    print(f"{given.output}: {len(outcome.bundle) / 1024:.0f} KiB")
    return 0
