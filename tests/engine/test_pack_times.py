"""logic/pack_times.py: stamps and places of samples, in every way of writing them, and what can be wrong."""

import math

import pytest

from engine.errors import RuleError
from engine.logic.pack_file import read_pack
from engine.logic.trials import judged

TIMED = """
[pack]
title = "Triage"
domain = "medical"
text = "A door and a nurse."
licence = "CC0-1.0"

[variables]
log = { kind = "events", values = ["arrival", "triage", "leave"] }

[rules]
text = "rule soon: response(arrival, triage, within 10 min)"

[[samples]]
name = "a visit"
answer = { log = ["arrival", "triage", "leave"] }
stamps = { log = STAMPS }
places = { log = PLACES }
keeps = true
"""
HERE = "[[52.5, 13.4], [-90, 180], [nan, nan]]"


def read(stamps="[0, 60, 90]", places=HERE):
    return read_pack(TIMED.replace("STAMPS", stamps).replace("PLACES", places), "triage").samples[0]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("[0, 60, 90.5]", (0, 60, 90.5)),
        ("[-30, nan, -30]", (-30, math.nan, -30)),
        ("[08:00:00, 08:01:00.25, nan]", (28800, 28860.25, math.nan)),
        ("[1970-01-01T00:01:00, 1970-01-02 00:00:00, nan]", (60, 86400, math.nan)),
        ("[2026-10-25T02:30:00+02:00, 2026-10-25T02:30:00+01:00, nan]", (1792888200, 1792891800, math.nan)),
        ("[nan, nan, nan]", (math.nan,) * 3),
    ],
)
def test_stamps_are_read_as_seconds(written, seconds):
    assert read(written).stamps["log"] == pytest.approx(seconds, nan_ok=True)


def test_places_are_degrees_north_and_east():
    places = read().places["log"]
    assert places[:2] == ((52.5, 13.4), (-90.0, 180.0))
    assert all(map(math.isnan, places[2]))


def test_a_sample_without_stamps_has_none():
    bare = TIMED.replace("stamps = { log = STAMPS }\n", "").replace("places = { log = PLACES }\n", "")
    sample = read_pack(bare, "triage").samples[0]
    assert sample.stamps == sample.places == {}


def test_stamps_decide_whether_a_rule_in_time_is_broken():
    for seconds, broken in ((600, ()), (601, ("soon",))):
        pack = read_pack(TIMED.replace("STAMPS", f"[0, {seconds}, 700]").replace("PLACES", HERE), "triage")
        assert judged(pack) == [broken]


@pytest.mark.parametrize(
    ("stamps", "places", "key", "words"),
    [
        ("[0, 60]", HERE, "stamps", "for each of the 3 events; got 2 stamps"),
        ("60", HERE, "stamps", "for each of the 3 events; got '60'"),
        ("[0, 60, 'later']", HERE, "stamps", "A stamp is seconds, times such as 08:30:00"),
        ("[0, true, 90]", HERE, "stamps", "got 'True'"),
        ("[0, inf, inf]", HERE, "stamps", "got 'inf'"),
        ("[0, 1e300, nan]", HERE, "stamps", r"got '1e\+300'"),
        ("[2026-11-26, nan, nan]", HERE, "stamps", "got '2026-11-26'"),
        ("[0, 08:00:00, nan]", HERE, "stamps", "Stamps are all seconds, all times"),
        ("[2026-11-26T08:00:00, 2026-11-26T08:00:00Z, nan]", HERE, "stamps", "Stamps are all seconds"),
        ("[60, nan, 59]", HERE, "stamps", "Stamps go back: event 3 is before one ahead of it"),
        ("[0, 60, 90]", "[[52.5, 13.4]]", "places", "for each of the 3 events; got 1 places"),
        ("[0, 60, 90]", "[[52.5], [0, 0], [0, 0]]", "places", "A place is .north, east. in degrees"),
        ("[0, 60, 90]", "[[91, 0], [0, 0], [0, 0]]", "places", "A place is"),
        ("[0, 60, 90]", "[[0, 181], [0, 0], [0, 0]]", "places", "A place is"),
        ("[0, 60, 90]", "[[0, nan], [0, 0], [0, 0]]", "places", "A place is"),
        ("[0, 60, 90]", "[[true, 0], [0, 0], [0, 0]]", "places", "A place is"),
        ("[0, 60, 90]", "[0, 0, 0]", "places", "A place is"),
    ],
)
def test_what_is_no_stamp_or_place_is_said_with_its_line(stamps, places, key, words):
    with pytest.raises(RuleError, match=words) as caught:
        read(stamps, places)
    line = 17 if key == "stamps" else 18
    assert caught.value.where == f"line {line}, samples[1].{key}.log"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("stamps = { log", "stamps = { lag", "This sample has no events of 'lag'. Nearest: log"),
        ("stamps = { log = STAMPS }", "", "This sample has no stamps of 'log'"),
        ("stamps = { log = STAMPS }", "stamps = 3", "It takes a table of keys"),
    ],
)
def test_stamps_are_those_of_events_and_places_those_of_stamps(old, new, words):
    text = TIMED.replace(old, new).replace("STAMPS", "[0, 60, 90]").replace("PLACES", HERE)
    with pytest.raises(RuleError, match=words):
        read_pack(text, "triage")
