"""What a caregiver does, step by step, and what the glasses are asked for."""

import io
import json
import re
import wave
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest

from cuelens.link import requests
from cuelens.link.replies import Happening
from cuelens.page import draft
from cuelens.page.lease import Lease
from cuelens.page.steps.check import advice
from cuelens.page.visit import Check
from cuelens_models.errors import BadInput


def voice(seconds: float = 1.0, rate: int = 22050, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * channels * round(seconds * rate)))
    return file.getvalue()


NESTED = b"RIFF\x0c\0\0\0WAVEjunk\xff\0\0\0"
"""A chunk that reaches beyond the one that holds it."""


def record(paired: Any, wav: bytes) -> Any:
    headers = {"content-type": "audio/wav", "x-cuelens": paired.page.visit.csrf}
    return paired.browser.post("/cues/happy/record", content=wav, headers=headers)


def test_undo_goes_back_to_how_it_was_when_the_step_was_opened(paired: Any) -> None:
    paired.browser.get("/cues")
    before = paired.glasses.profile
    paired.post("/cues/preset", preset="clear")
    paired.browser.get("/cues/happy")
    paired.post("/cues/happy/light", colour="pink")
    assert paired.glasses.profile["cues"]["happy"]["light"]["colour"] == "#CC79A7"
    assert "Undone." in paired.post("/undo/cues").text
    assert paired.glasses.profile == before


def test_what_is_tapped_is_in_the_draft_before_it_is_tried(paired: Any) -> None:
    paired.browser.get("/cues/sad")
    paired.post("/cues/sad/light", shape="fade_long")
    kinds = [type(one).__name__ for one in paired.glasses.asked if isinstance(one, requests.Draft | requests.Try)]
    assert kinds == ["Draft", "Try"]
    assert paired.glasses.of(requests.Try)[-1].word == "sad"


@pytest.mark.parametrize(
    ("kind", "phrase", "expected"),
    [("usual", "", "absent"), ("none", "", None), ("own", "a tear", "a tear"), ("own", 60 * "a", 40 * "a")],
)
def test_words_are_chosen(paired: Any, kind: str, phrase: str, expected: object) -> None:
    paired.post("/cues/sad/phrase", kind=kind, phrase=phrase)
    assert paired.glasses.profile["cues"]["sad"].get("phrase", "absent") == expected


def test_undo_leaves_what_was_changed_on_another_screen(paired: Any) -> None:
    for path in ("/cues", "/often"):
        paired.browser.get(path)
    before = paired.glasses.profile
    paired.post("/cues/sound", sound="words")
    paired.post("/often", place="0")
    paired.post("/more/view", **{"view.tilt_degrees": "5"})
    assert "Undone." in paired.post("/undo/cues").text
    assert paired.glasses.profile["policy"]["caution"] == 1.0
    assert paired.glasses.profile["view"]["tilt_degrees"] == 5.0
    assert paired.glasses.profile["sound"] == before["sound"]
    assert "Undone." in paired.post("/undo/often").text
    assert "Undone." in paired.post("/undo/more").text
    assert paired.glasses.profile == before


def test_what_is_saved_is_not_undone(paired: Any) -> None:
    paired.browser.get("/cues")
    paired.post("/cues/sound", sound="words")
    paired.post("/save")
    shown = paired.post("/undo/cues").text
    assert "There was nothing to undo." in shown
    assert "Undone." not in shown
    assert paired.glasses.profile["sound"]["on"]


def test_undo_leaves_away_what_another_screen_took_away(paired: Any) -> None:
    paired.post("/cues/sad/light", colour="pink")
    paired.post("/more/cues", **{"cues.sad?": "(none)"})
    assert "There was nothing to undo." in paired.post("/undo/cues").text
    assert paired.glasses.profile["cues"]["sad"] is None
    paired.post("/undo/more")
    assert paired.glasses.profile["cues"]["sad"]["light"]["colour"] == "#CC79A7"


def test_a_correction_of_the_family_is_undone(paired: Any) -> None:
    paired.browser.get("/people")
    before = paired.glasses.profile
    fitted = {**before, "people": {**before["people"], "people": 1}}
    ask_glasses = paired.page.glasses.ask

    async def ask(request: Any, kind: Any) -> Any:
        if isinstance(request, requests.Correct):
            paired.glasses.draft = fitted
        return await ask_glasses(request, kind)

    paired.page.glasses.ask = ask
    paired.post("/people/correct")
    assert paired.glasses.profile == fitted
    assert "Undone." in paired.post("/undo/people").text
    assert paired.glasses.profile == before


def test_changes_in_two_tabs_at_the_same_moment_are_both_kept(paired: Any) -> None:
    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(draft.change, paired.page, "cues", {"sound.on": True})
            group.start_soon(draft.change, paired.page, "often", {"policy.caution": 1.0})

    for _ in range(5):
        paired.post("/draft/discard")
        paired.browser.portal.call(both)
        profile = paired.glasses.profile
        assert (profile["sound"]["on"], profile["policy"]["caution"]) == (True, 1.0)


def test_presses_stay_while_another_screen_is_opened(paired: Any) -> None:
    paired.glasses.happen("press", "mute")
    paired.browser.get("/button")
    paired.glasses.happen("press", "ask")
    paired.browser.get("/often")
    assert "This press came: one short press." in paired.browser.get("/button").text
    paired.browser.get("/home")
    assert "No press yet." in paired.browser.get("/button").text


def test_undo_takes_the_recording_away(paired: Any) -> None:
    paired.browser.get("/cues/happy")
    assert record(paired, voice()).status_code == 204
    assert paired.glasses.profile["cues"]["happy"]["recording"] == "happy-1.wav"
    paired.post("/undo/cues")
    assert paired.glasses.profile["cues"]["happy"]["recording"] is None


@pytest.mark.parametrize("wav", [b"", b"RIFF", voice(3.5), voice(rate=8000), voice(channels=2), voice()[:200], NESTED])
def test_what_is_no_voice_of_the_page_is_refused(paired: Any, wav: bytes) -> None:
    assert record(paired, wav).status_code == 400
    assert not paired.glasses.recordings


@pytest.mark.parametrize("is_set_up", [True, False])
def test_a_voice_that_does_not_reach_the_glasses_is_said_to_be_lost(paired: Any, is_set_up: bool) -> None:
    paired.browser.get("/cues/happy")
    paired.glasses.close()
    paired.page.lease.on = is_set_up
    done = record(paired, voice())
    assert (done.status_code, done.text) == (503, "The glasses do not answer. Record it again in a moment.")
    paired.page.lease.on = False


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/cues/strength", "light.brightness_percent"),
        ("/often", "place"),
        ("/check/answer", "number"),
        ("/more/light", "light.brightness_percent"),
    ],
)
@pytest.mark.parametrize("typed", [5000 * "9", "--5", "-1", "\u00b2", "\u0661", "1e400"])
def test_what_is_no_number_of_ours_is_no_fault_of_the_page(paired: Any, path: str, field: str, typed: str) -> None:
    paired.post("/check/start")
    assert paired.post(path, **{field: typed, "right": "yes"}).status_code in (200, 422)
    assert all(0 <= one <= 100 for one in paired.glasses.profile["light"].values())


def test_people(paired: Any) -> None:
    paired.browser.get("/people")
    for shown in ("neutral", "happy", "surprise", "sad"):
        paired.post("/people/collect", shown=shown)
        paired.glasses.shown, paired.glasses.collected[shown] = None, 10.0
    paired.glasses.helped = False
    said = paired.post("/people/correct").text
    assert "It did not help. All is left as it was." in said
    assert "Was it calm?" not in said
    paired.glasses.share = 0.4
    assert "Was it calm?" in paired.post("/people/correct").text
    paired.post("/people/again")
    assert paired.glasses.of(requests.StopCollecting)[-1].drop


def test_a_collection_ends_by_itself(paired: Any) -> None:
    paired.browser.get("/people")
    paired.glasses.speed = 1e6
    shown = paired.post("/people/collect", shown="neutral")
    assert paired.glasses.shown is None
    assert "Done." in shown.text


@pytest.mark.parametrize(
    ("cues", "answers", "expected"),
    [
        ({}, {}, "check.advice_none"),
        ({1: "happy"}, {}, "check.advice_unanswered"),
        ({1: "happy", 2: "sad"}, {1: True, 2: False}, "check.advice_wrong"),
        ({1: "happy", 2: "sad"}, {1: True, 2: True}, "check.advice_good"),
    ],
)
def test_advice(cues: dict[int, str], answers: dict[int, bool], expected: str) -> None:
    assert advice(Check(0, 0.0, cues, answers)) == expected


def test_check_and_save(paired: Any, soon: Callable[[Callable[[], object]], bool]) -> None:
    paired.browser.get("/check")
    paired.glasses.happen("expression", "sad")
    paired.post("/check/start")
    assert soon(lambda: paired.glasses.cues)
    paired.glasses.happen("expression", "happy")
    shown = paired.browser.get("/check").text
    assert "Cue: Looks happy" in shown
    assert "Cue: Looks sad" not in shown
    paired.post("/check/answer", number="2", right="yes")
    paired.post("/check/answer", number="77", right="no")
    paired.clock.now_s += 31
    assert "Right: 1 of 1 answers" in paired.browser.get("/check").text
    paired.post("/often", place="0")
    assert paired.glasses.draft["policy"]["caution"] == 1.0
    assert "Saved." in paired.post("/save").text
    assert paired.glasses.saved["default"]["policy"]["caution"] == 1.0


def test_a_refusal_is_shown_at_the_form_with_what_was_typed(paired: Any) -> None:
    shown = paired.post("/more/sound", **{"sound.volume_percent": "130"})
    assert shown.status_code == 422
    assert "the profile cannot be used" in shown.text
    assert 'value="130"' in shown.text
    assert "Changed." in paired.post("/more/sound", **{"sound.volume_percent": "30"}).text
    assert paired.glasses.draft["sound"]["volume_percent"] == 30


@pytest.mark.parametrize("caution", [0.12345678, 0.1 + 0.2, 1e-7, 1.0, -0.25])
def test_a_form_that_is_sent_back_unchanged_changes_nothing(paired: Any, caution: float) -> None:
    policy = {**paired.glasses.profile["policy"], "caution": caution}
    paired.glasses.draft = before = {**paired.glasses.profile, "policy": policy}
    shown = paired.browser.get("/more/policy").text
    fields = dict(re.findall(r'<input type="number" [^>]*name="([^"]+)"[^>]* value="([^"]*)"', shown))
    assert not any(value.endswith(".0") for value in fields.values())
    paired.post("/more/policy", **fields)
    assert paired.glasses.profile == before


def test_profiles(paired: Any) -> None:
    assert "Made, and in use now: at-school" in paired.post("/profiles/create", name="at school").text
    assert "letters, digits" in paired.post("/profiles/create", name="../x").text
    assert "there is no profile nobody" in paired.post("/profiles/choose", name="nobody").text
    paired.post("/profiles/choose", name="default")
    paired.post("/profiles/remove", name="at-school")
    assert list(paired.glasses.saved) == ["default"]
    exported = paired.browser.get("/profiles/export.json")
    assert exported.json() == paired.glasses.profile
    changed = exported.json() | {"wearer": "<b>Mia</b>"}
    assert "Taken in." in paired.post("/profiles/import", profile=json.dumps(changed)).text
    assert "&lt;b&gt;Mia" in paired.browser.get("/more/general").text
    assert "cannot be used" in paired.post("/profiles/import", profile='{"sound": 3}').text
    for text in ("", "[]", "{", 5000 * "[", '{"wearer": "\\ud800"}', '{"schema": NaN}'):
        assert "This is no profile" in paired.post("/profiles/import", profile=text).text


@pytest.mark.parametrize("where", ["draft", "waiting"])
def test_that_another_profile_drops_changes_is_said_before(paired: Any, where: str) -> None:
    warning = "If you choose or make another profile, they are dropped."
    assert warning not in paired.browser.get("/profiles").text
    setattr(paired.glasses, where, {**paired.glasses.profile, "wearer": "Mia"})
    assert warning in paired.browser.get("/profiles").text


@pytest.mark.parametrize("letter", ["a", "м", "م", "校", "𠮷"])
def test_a_profile_with_the_longest_name_in_any_letters_is_removed(paired: Any, letter: str) -> None:
    name = 60 * letter
    paired.post("/profiles/create", name=name)
    paired.post("/profiles/choose", name="default")
    assert f"Remove the profile {name}?" in paired.browser.get(f"/profiles/remove/{name}").text
    paired.post("/profiles/remove", name=name)
    assert list(paired.glasses.saved) == ["default"]


def test_a_step_that_changed_nothing_is_undone_without_a_draft(paired: Any) -> None:
    paired.browser.get("/cues")
    paired.post("/undo/cues")
    assert not paired.glasses.of(requests.Draft)


def test_what_needs_a_calibration_is_offered_during_one(paired: Any) -> None:
    assert 'href="/story"' in paired.browser.get("/home").text
    shown = paired.post("/leave", then="session").text
    assert 'action="/calibrate"' in shown
    assert 'href="/story"' not in shown
    assert 'action="/leave"' not in shown


@pytest.mark.parametrize(
    ("paused", "then", "said"),
    [
        (False, "session", "A session has begun."),
        (True, "session", None),
        (False, "rest", "The glasses rest."),
        (True, "rest", "The glasses rest."),
    ],
)
def test_no_session_is_said_to_have_begun_while_the_wearer_has_paused(
    paired: Any, paused: bool, then: str, said: str | None
) -> None:
    paired.glasses.fields["paused"] = paused
    shown = paired.post("/leave", then=then).text
    assert ('class="notice' in shown) is (said is not None)
    assert said is None or said in shown


def test_glasses_without_a_button_are_offered_no_rest(paired: Any) -> None:
    assert 'value="rest"' in paired.browser.get("/home").text
    paired.glasses.button = False
    shown = paired.browser.get("/home").text
    assert 'value="rest"' not in shown
    assert 'name="minutes"' not in shown


def test_a_reset_asks_first(paired: Any) -> None:
    paired.post("/profiles/reset")
    assert not paired.glasses.of(requests.FactoryReset)
    assert "All profiles: default" in paired.browser.get("/profiles/reset").text
    paired.post("/profiles/reset", sure="yes")
    assert paired.glasses.of(requests.FactoryReset)


def test_story(paired: Any) -> None:
    shown = paired.browser.get("/story").text
    assert "From 15:02" in shown
    assert "Looks happy: 4" in shown
    assert 'fill="#F0E442"' in shown
    assert "nothing happened" not in shown
    assert paired.browser.get("/story.csv").text == paired.glasses.table
    paired.post("/story/forget", sure="yes")
    assert "There is nothing yet." in paired.browser.get("/story").text


def test_sessions_in_which_nothing_happened_are_counted_only(paired: Any) -> None:
    first, second = paired.glasses.sessions
    empty = msgspec.structs.replace(second, began="2026-10-08T18:00:00", faces_s=0.0, entries=())
    paired.glasses.sessions = (first, empty, empty)
    shown = paired.browser.get("/story").text
    assert shown.count("<article") == 1
    assert "Sessions in which nothing happened: 2" in shown
    paired.glasses.sessions = (empty,)
    shown = paired.browser.get("/story").text
    assert "<article" not in shown
    assert "Sessions in which nothing happened: 1" in shown
    assert "There is nothing yet." not in shown
    assert "Each dot is a cue" not in shown


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"then": "rest", "minutes": "30"}, requests.Leave(then="rest")),
        ({"then": "session", "minutes": "30"}, requests.Leave(minutes=30)),
        ({"then": "session", "minutes": ""}, requests.Leave()),
        ({"then": "session", "minutes": "31"}, requests.Leave()),
        ({"then": "session", "minutes": 5000 * "9"}, requests.Leave()),
    ],
)
def test_leaving(paired: Any, form: dict[str, str], expected: requests.Leave) -> None:
    shown = paired.post("/leave", **form)
    assert paired.glasses.of(requests.Leave) == [expected]
    assert not paired.glasses.calibrating
    assert "Switch set-up on" in shown.text
    assert 'href="/aim"' not in shown.text
    paired.post("/calibrate")
    assert paired.glasses.calibrating


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "resting"}, "They rest."),
        ({"state": "no camera"}, "They find no camera."),
        ({"state": "camera stalled"}, "The camera gives no picture."),
        ({"taken_back": ("settings", "profile")}, "was taken back: the settings, the profile."),
        ({"faults": ("no voice", "odd frame", "no sound")}, "the sound does not work"),
        ({"faults": ("no light",)}, "There is no light for cues."),
        ({"muted": True}, "Muted with the button"),
        ({"temperature_c": 81.0}, "The board is hot: 81"),
        ({"under_voltage": True}, "The supply is too weak."),
        ({"refused": "sound is <3>"}, "sound is &lt;3&gt;"),
        ({"warnings": ("no light would be seen",)}, "no light would be seen"),
        ({"button": False}, "There is no working button."),
        ({"state": "something new"}, "something new"),
    ],
)
def test_the_state_in_sentences(paired: Any, fields: dict[str, Any], sentence: str) -> None:
    paired.glasses.fields = fields
    assert sentence in paired.browser.get("/home").text


def test_the_clock_is_set_from_the_phone(paired: Any) -> None:
    paired.glasses.fields = {"clock_set": False}
    assert "is not set." in paired.browser.get("/home").text
    screen = paired.post("/clock", clock="1793000000000").text
    assert "is set." in screen
    assert "is not set." not in screen
    assert paired.times == [1793000000.0]
    for odd in ("", "nan", "-5", "1e99", "x"):
        assert "did not say" in paired.post("/clock", clock=odd).text

    def forbidden(_seconds: float) -> None:
        raise PermissionError

    paired.page.set_time = forbidden
    assert "do not allow this page to set their clock" in paired.post("/clock", clock="1793000000000").text


def test_presses_are_acknowledged(paired: Any) -> None:
    paired.glasses.happen("press", "mute")
    assert "No press yet." in paired.browser.get("/button").text
    paired.glasses.happen("press", "ask")
    assert "This press came: one short press." in paired.browser.get("/button").text


def test_a_draft_of_last_time_is_taken_up(paired: Any) -> None:
    paired.glasses.waiting = {**paired.glasses.profile, "wearer": "Mia"}
    assert "changes from last time" in paired.browser.get("/home").text
    paired.post("/draft/take")
    assert paired.glasses.profile["wearer"] == "Mia"
    paired.post("/draft/discard")
    assert paired.glasses.profile["wearer"] == "wearer"


def test_silent_glasses_are_said_to_be_silent(paired: Any) -> None:
    paired.glasses.close()
    shown = paired.browser.get("/home")
    assert shown.status_code == 503
    assert "no glasses are running" in shown.text


def test_the_tilt_is_absent_until_the_profile_has_it(paired: Any) -> None:
    assert 'name="tilt"' in paired.browser.get("/aim").text
    paired.post("/aim", tilt="77")
    assert paired.glasses.profile["view"]["tilt_degrees"] == 30.0
    paired.glasses.draft = {key: value for key, value in paired.glasses.profile.items() if key != "view"}
    assert 'name="tilt"' not in paired.browser.get("/aim").text


def test_the_lease_is_renewed_and_given_up(soon: Callable[[Callable[[], object]], bool]) -> None:
    asked: list[Any] = []
    now = [0.0]
    lease = Lease(asked.append, lambda: now[0], every_s=0.02)  # type: ignore[arg-type, return-value, func-returns-value]
    lease.begin()
    assert soon(lambda: len(asked) > 3)
    lease.cues_until(10.0)
    assert soon(lambda: asked[-1].cues)
    now[0] = 11.0
    assert soon(lambda: not asked[-1].cues)
    lease.leave(requests.Leave())
    lease.close()
    assert asked[-1] == requests.Leave()


def test_the_events_of_a_step(paired: Any) -> None:
    from starlette.datastructures import ImmutableMultiDict

    from cuelens.page import events
    from cuelens.page.texts import Texts
    from cuelens.page.visit import Call

    call = Call(None, ImmutableMultiDict(), Texts("en"))  # type: ignore[arg-type]
    paired.browser.get("/button")
    paired.glasses.happenings.append(Happening(number=1, kind="press", word="ask", ago_s=0.0))

    def snapshot(step: str) -> dict[str, Any]:
        paired.page.glasses._limiter = None  # noqa: SLF001
        return anyio.run(events.snapshot, paired.page, call, step)

    assert snapshot("button")["mark"] == "1"
    assert snapshot("")["state"] == [("good", "The glasses see.")]
    paired.glasses.collected = {"neutral": 4.26}
    assert snapshot("people")["seconds"] == {"neutral": 4.3}
    paired.glasses.close()
    assert snapshot("")["state"] == [("bad", "The glasses cannot be reached. The page tries again by itself.")]


def test_a_refused_leave_lets_go_of_nothing() -> None:
    def refuse(request: Any) -> Any:
        if isinstance(request, requests.Leave):
            raise BadInput("these glasses have no button")

    lease = Lease(refuse, every_s=30.0)
    lease.begin()
    with pytest.raises(BadInput):
        lease.leave(requests.Leave(then="rest"))
    assert lease.on
    lease.close()
