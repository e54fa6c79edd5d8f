"""One conversion from its options to its exit status: convert, print, report, then write or refuse the bundle."""

import sys
from argparse import Namespace

from cuelens_convert import batch, summary
from cuelens_convert.compare import Limits
from cuelens_convert.convert import Options, convert
from cuelens_convert.diagnose import diagnose
from cuelens_convert.digest import same_but_for_rounding
from cuelens_convert.source import Described, open_source
from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle.file import Bundle
from cuelens_models.data.load import load
from cuelens_models.errors import Refused
from cuelens_models.progress import display


def run_conversion(options: Namespace, expected: Bundle | None) -> int:
    """Convert one network, print what was lost, and write the bundle. Raises Refused if it may not be written.

    The network is opened before the data are read, which may take minutes.

    options: of the command line. expected: bundle whose content the new one must have, None if any will do.
    """
    source = open_source(options.models[0], Described(options.labels, options.pixels, options.protocol))
    data = load(options.data, options.classes)
    for line in (*data.notes, *summary.network(source)):
        print(line)
    conversion = Options(
        options.scheme,
        Limits(options.max_drop, options.max_class_drop, options.min_agreement),
        options.representative,
        options.images,
        options.fine_tune,
        options.seed,
        options.as_described,
    )
    diagnosis = None
    with display(sys.stdout, extra="convert", stage_line="{} ...") as steps:
        outcome = convert(source, data, conversion, steps)
        if outcome.refusal or options.report:
            steps.stage("looking into the layers")
            diagnosis = diagnose(outcome)
    print("\n".join(summary.result(outcome)))
    if options.report and diagnosis:
        from cuelens_convert.page import page  # matplotlib, which takes a second to import

        html = page(outcome, diagnosis, batch.command_line(options))
        write_whole(options.report / "index.html", html.encode())
    if outcome.refusal and diagnosis:
        print("\n".join(summary.advice(diagnosis.errors, diagnosis.spread, outcome)))
        raise Refused(f"{options.scheme} is refused: {outcome.refusal}: nothing was written")
    if expected and not same_but_for_rounding(outcome.bundle[: outcome.contract.model_bytes], expected.model):
        digest = expected.contract.content_digest
        raise Refused(f"{options.expect} has another content, of the digest {digest}: nothing was written")
    write_whole(options.output, outcome.bundle)
    print(f"{options.output}: {len(outcome.bundle) / 1024:.0f} KiB")
    return 0
