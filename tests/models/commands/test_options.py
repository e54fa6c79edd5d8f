import pytest

from cuelens_models.commands import audit, train, tune

TRAINERS = {
    "train-model": (train.command_line, ("cuelens", "--data", "x")),
    "tune-model": (tune.command_line, ("elu-6", "--data", "x")),
    "audit-data": (audit.command_line, ("x",)),
}


def help_of(name: str, option: str) -> str:
    """Return the lines of --help about one option of a command."""
    _, _, after = TRAINERS[name][0]().format_help().partition(f"\n  {option} ")
    return after.partition("\n  --")[0]


@pytest.mark.parametrize("option", ["--precision", "--seed", "--classes"])
def test_an_option_that_several_commands_share_is_described_alike(option: str) -> None:
    texts = {" ".join(help_of(name, option).partition("\n\n")[0].split()) for name in TRAINERS}
    assert len(texts) == 1, texts
    assert texts != {""}


@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize("seed", [str(2**32 - 10), "-1", "much", "1.5", "\N{SUPERSCRIPT TWO}"])
def test_a_seed_that_some_network_could_not_have_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], name: str, seed: str
) -> None:
    parser, words = TRAINERS[name]
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*words, "--out", "y", "--seed", seed])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(
        f"argument --seed: {seed!r} is no seed: expected a number from 0 to 4294967285\n"
    )
    assert parser().parse_args([*words, "--out", "y", "--seed", "4294967285"]).seed == 2**32 - 11
