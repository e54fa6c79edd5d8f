"""From a profile to the rules: what tells what, and what a school leaves of it."""

from functools import partial

import msgspec
import pytest

from cuelens.calibration.correction import Correction
from cuelens.cues.fading import FadingRule
from cuelens.cues.limits import LimitRule
from cuelens.cues.modes import mode
from cuelens.cues.policy import CuePolicy
from cuelens.cues.settling import SettleRule
from cuelens.light.cue_lights import lights
from cuelens.profile import language
from cuelens.profile.cue_book import CueBook, CueEntry, LightCue
from cuelens.profile.profile import Enter, Play, Policy, Profile, Sound
from cuelens.profile.rules import limit_rule, play_rule, settle_rule, tell_as, volume
from cuelens.types import Face
from cuelens_models.bundle.expressions import LABELS

EVERY = ["light", "voice", "console"]
LOUD = Sound(on=True)
TOLD = {"happy", "surprise", "sad", "angry", "disgust", "fear"}
ASKED = {"neutral", "unsure", "nobody"}


def test_sound_is_off_in_the_factory_profile_and_held_under_its_ceiling() -> None:
    assert Profile().sound.on is False
    assert all("voice" not in outputs for outputs in limit_rule(Profile(), EVERY).outputs.values())
    assert volume(Profile(sound=Sound(on=True, volume_percent=100, ceiling_percent=70))) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("there", "face", "expression"),
    [
        ([], (), ()),
        (["console"], ("console",), ("console",)),
        (["light"], ("light",), ("light",)),
        (["voice"], (), ("voice",)),
        (["voice", "light"], ("light",), ("light", "voice")),
    ],
)
def test_a_cue_names_the_outputs_that_are_there(
    there: list[str], face: tuple[str, ...], expression: tuple[str, ...]
) -> None:
    outputs = limit_rule(Profile(sound=LOUD), there).outputs
    assert (outputs["face"], outputs["happy"], outputs["unsure"], outputs["guess"]) == (
        face,
        expression,
        expression,
        face,
    )


def test_what_can_be_told_is_the_cue_book_and_what_a_press_may_be_answered_with() -> None:
    outputs = limit_rule(Profile(sound=LOUD), EVERY).outputs
    assert set(outputs) == TOLD | ASKED | {f"find {word}" for word in TOLD} | {"face", "guess"}


@pytest.mark.parametrize("school", [False, True])
def test_what_can_be_told_has_words_in_every_language(*, school: bool) -> None:
    scornful = CueBook(contempt=CueEntry(light=LightCue("#FFFFFF")))
    words = limit_rule(Profile(school=school, sound=LOUD, cues=scornful), EVERY).outputs.keys()
    assert words - language.read("en").says().keys() == {"guess"}


def test_the_numbers_of_the_limits_come_from_the_profile() -> None:
    nothing = dict.fromkeys(("happy", "surprise", "angry", "disgust", "fear"))
    wearer = Profile(
        policy=Policy(gap_s=4, answer_gap_s=2, same_expression_s=9, spoken_per_minute=2),
        sound=LOUD,
        cues=CueBook(sad=CueEntry(light=LightCue(colour="#0072B2"), phrase=None), **nothing),
        face_found=None,
    )
    rule = limit_rule(wearer, ["light", "voice"])
    assert rule == LimitRule(4, 2, 9, 2, rule.outputs, greets=False)
    assert rule.outputs["sad"] == ("light",)
    assert set(rule.outputs) == {"sad", "find sad", "guess", "face", *ASKED}
    assert not rule.greets
    # What has no cue is not asked for either.
    assert play_rule(wearer, rule, LABELS).find == ()
    both = msgspec.structs.replace(wearer, play=Play(find=("happy", "sad")))
    assert play_rule(both, rule, LABELS).find == ("sad",)
    # Nor is what the network does not read.
    assert play_rule(both, rule, ("neutral", "happy")).find == ()


@pytest.mark.parametrize(
    ("policy", "least", "caution", "dwell_s"),
    [
        (Policy(), {"happy": -4.5, "sad": -4.5}, 0.0, 1.0),
        (Policy(caution=0.5, dwell_s=2.0), {"happy": -4.0, "sad": -4.0}, 0.5, 2.0),
        (Policy(caution=-1, enter=Enter(happy=0.5)), {"happy": 0.0, "sad": -5.5}, -1.0, 1.0),
        (Policy(enter=Enter(sad=0.8, angry=0.9)), {"happy": -4.5, "sad": 1.386}, 0.0, 1.0),
    ],
)
def test_the_numbers_of_settling_come_from_the_profile_and_the_bundle(
    policy: Policy, least: dict[str, float], caution: float, dwell_s: float
) -> None:
    rule = settle_rule(Profile(policy=policy), ["neutral", "happy", "sad"], {"happy": -4.0})
    assert {label: rule.least[label] for label in least} == pytest.approx(least, abs=1e-3)
    assert (rule.labels, rule.caution, rule.dwell_s) == (("neutral", "happy", "sad"), caution, dwell_s)
    # A bundle that says nothing of a label leaves what is usual for any.
    assert rule.population == (-4.0, -5.0)


def test_thresholds_of_the_bundle_hold_until_the_profile_has_its_own() -> None:
    wearer = Profile(policy=Policy(enter=Enter(sad=0.5)))
    rule = settle_rule(wearer, ["neutral", "happy", "sad", "angry"], {}, {"happy": 0.8, "sad": 0.9})
    assert {**rule.least, "neutral": 0.0} == pytest.approx(
        {"neutral": 0.0, "happy": 1.386, "sad": 0.0, "angry": -4.5}, abs=1e-3
    )


@pytest.mark.parametrize(("people", "strange"), [(0, 1.1), (1, 0.0), (2, 0.55)])
def test_a_face_of_a_calibrated_household_is_less_strange(people: int, strange: float) -> None:
    rule = settle_rule(Profile(people=Correction(people=people)), ["neutral", "happy"], {})
    assert rule.strange == pytest.approx(strange)


def test_at_a_school_only_a_smile_and_a_frown_are_told() -> None:
    school = Profile(school=True, sound=LOUD, play=Play(find=("sad", "angry", "happy")))
    words = {label: tell_as(school, label) for label in (*LABELS, "unsure")}
    assert {label: word for label, word in words.items() if word != "face"} == {
        "happy": "smile",
        "angry": "frown",
        "unsure": "unsure",
    }
    outputs = limit_rule(school, EVERY).outputs
    assert set(outputs) == {"smile", "frown", "find smile", "find frown", "face", "guess", *ASKED}
    assert not TOLD & set(outputs)
    assert play_rule(school, limit_rule(school, EVERY), LABELS).find == ("frown", "smile")
    hidden = Profile(school=True, play=Play(find=("sad",)))
    assert play_rule(hidden, limit_rule(hidden, EVERY), LABELS).find == ()
    assert lights(school)["smile"] == lights(Profile())["happy"]


@pytest.mark.parametrize(
    ("entry", "told", "asked_for"),
    [
        (CueEntry(light=LightCue("#FF0000"), phrase=None), ("light", "console"), ("light", "voice", "console")),
        (CueEntry(light=None, phrase="big smile"), ("voice", "console"), ("voice", "console")),
        (CueEntry(light=None, phrase=None, recording="happy.wav"), ("voice", "console"), ("voice", "console")),
    ],
    ids=["a light", "a phrase", "a recording"],
)
def test_what_is_asked_for_is_spoken_and_has_the_light_of_its_expression(
    entry: CueEntry, told: tuple[str, ...], asked_for: tuple[str, ...]
) -> None:
    outputs = limit_rule(Profile(sound=LOUD, cues=CueBook(happy=entry)), EVERY).outputs
    assert (outputs["happy"], outputs["find happy"]) == (told, asked_for)


def test_every_word_that_may_be_told_by_light_has_a_light() -> None:
    for wearer in (Profile(), Profile(school=True)):
        shown = lights(wearer)
        assert all(word in shown for word, outputs in limit_rule(wearer, EVERY).outputs.items() if "light" in outputs)


def test_the_cue_book_has_a_place_for_every_expression_but_neutral() -> None:
    assert msgspec.structs.asdict(CueBook()).keys() == set(LABELS) - {"neutral"}


@pytest.mark.parametrize("shown", ["happy", "contempt"])
@pytest.mark.parametrize(
    "wearer",
    [
        Profile(face_found=None),
        Profile(cues=CueBook(happy=CueEntry(phrase="looks glad"))),
        Profile(school=True, face_found=None),
    ],
    ids=["no greeting", "a cue that nothing can tell", "at a school"],
)
def test_a_press_is_answered_however_little_there_is_to_tell_with(wearer: Profile, shown: str) -> None:
    labels = ("neutral", "happy", "contempt")
    rule = limit_rule(wearer, ["light"])
    policy = CuePolicy(
        SettleRule(labels=labels, least=dict.fromkeys(labels, -2.0)),
        rule,
        mode("companion"),
        play_rule(wearer, rule, labels),
        FadingRule(),
        remembered_s=2.0,
        tell_as=partial(tell_as, wearer),
    )
    cues = []
    for n in range(90):
        scores = [float(label == shown) for label in labels]
        cues += [cue] if (cue := policy.step(n / 15, [Face(1, (0, 0, 90, 90))], {1: scores}, press=n == 60).cue) else []
    assert [(cue.kind, cue.outputs) for cue in cues][-1] == ("answer", ("light",))
