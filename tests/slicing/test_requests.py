"""What a request may be, and what is said of one that is wrong."""

import pytest

from slicing.errors import RequestInvalid, SettingInvalid
from slicing.request import parse_request


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "wrong"),
        ("[]", "wrong"),
        ('{"kind": "dance"}', "wrong"),
        ('{"kind": "slice", "model_path": "a", "printer": "p"}', 'material": this key is missing'),
        ('{"kind": "inspect", "model_path": "a", "colour": 1}', 'colour": there is no such key'),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(RequestInvalid, match=words):
        parse_request(text)


PLATE_FIELDS = '"printer": "p", "material": "m", "output_path": "o",'


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('{"infill": "130%"}', '"infill" can.t be used: input should be less than or equal to 100'),
        ('{"brimm": 4}', '"brimm" can.t be used: there is none of that name.*brim, perimeters'),
    ],
)
def test_a_wrong_setting_is_the_fault_of_whoever_chose_it(settings: str, words: str) -> None:
    for kind, more in (("inspect", ""), ("slice", PLATE_FIELDS)):
        text = f'{{"kind": "{kind}", "model_path": "a", {more} "settings": {settings}}}'
        with pytest.raises(SettingInvalid, match=words):
            parse_request(text)
