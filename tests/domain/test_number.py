"""Numbers: one person, one id; nothing that someone typed gets out (rulebook section 9)."""

import hmac
import re
import sys
from base64 import b64encode
from uuid import UUID

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent_ledger import number
from consent_ledger.keyring import Keyring, KeyringError
from consent_ledger.masking import MASK, mask
from consent_ledger.number import UnparseableNumber, canonical
from consent_ledger.numbering import CODE_AND_NUMBER_DIGITS

ACCOUNT = UUID("0193a7c4-0000-7000-8000-000000000001")
OTHER_ACCOUNT = UUID("0193a7c4-0000-7000-8000-000000000002")


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("ZA", "082 123 4567", "+27821234567"),
        ("ZA", "0821234567", "+27821234567"),
        ("ZA", "+27 82 123 4567", "+27821234567"),
        ("ZA", "27821234567", "+27821234567"),
        ("ZA", "0027821234567", "+27821234567"),
        ("ZA", "+27 (0) 82 123 4567", "+27821234567"),
        ("ZA", "(082) 123-4567", "+27821234567"),
        ("ZA", "821234567", "+27821234567"),
        ("ZA", "whatsapp:+27821234567", "+27821234567"),
        ("za", "sms:0821234567", "+27821234567"),
        ("ZA", "٠٨٢١٢٣٤٥٦٧", "+27821234567"),
        (None, "tel:+27-82-123-4567", "+27821234567"),
        (None, "WhatsApp:+27821234567", "+27821234567"),
        (None, "00 27 82 123 4567", "+27821234567"),
        ("US", "0027 (0)82 123 4567", "+27821234567"),
        (None, "+44 7911 123456", "+447911123456"),
        ("GB", "07911 123456", "+447911123456"),
        (None, "+1 (415) 555-0100", "+14155550100"),
        ("US", "415.555.0100", "+14155550100"),
        ("CA", "15145551234", "+15145551234"),
        ("US", "１４１５５５５０１００", "+14155550100"),
        (None, "＋１ ４１５ ５５５ ０１００", "+14155550100"),
        (None, "\u202a+1\u00a0415\u2011555\u20110100\u202c", "+14155550100"),
        (None, "+39 06 123 4567", "+39061234567"),
        (None, "+45 (0) 12 34 56 78", "+4512345678"),
        ("CK", "50 123", "+68250123"),
    ],
)
def test_every_way_of_writing_a_number_is_one_number(region, text, e164):
    assert canonical(text, region) == e164


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("ZA", ""),
        ("ZA", "abc"),
        ("ZA", "12345"),
        ("ZA", "+27 82 123 456"),
        ("ZA", "+27 82 123 45678"),
        ("ZA", "+0123456789"),
        ("US", "514555123"),
        ("US", "abc-def"),
        ("US", "555 0100"),
        ("US", "40404"),
        ("DE", "89000"),
        ("US", "1-800-FLOWERS"),
        ("US", "+1 415 555 0100 x5"),
        (None, "tel:+14155550100;ext=5"),
        (None, "0821234567"),
        (None, "14155550100"),
        ("XX", "0821234567"),
        (None, "+" + "1" * 30),
        (None, "+49 1234 5678 9012 34"),
        (None, "+" * 3 + "14155550100"),
        (None, "+14155550100 " * 10_000),
        (None, "+\ud800"),
    ],
)
def test_what_no_text_could_reach_is_refused_without_an_echo(region, text):
    """Contract section 2: errors never echo the input; short codes are no numbers."""
    with pytest.raises(UnparseableNumber) as refusal:
        canonical(text, region)
    assert not any(character.isdigit() for character in repr(refusal.value))
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("DE", "491711239901", "+491711239901"),
        ("DE", "49 171 1239901", "+491711239901"),
        ("DE", "49 (0) 171 1239901", "+491711239901"),
        ("DE", "4915112345678", "+4915112345678"),
        ("de", "49301234567", "+49301234567"),
        ("ID", "62811123456", "+62811123456"),
        ("XK", "38344123456", "+38344123456"),
        ("XK", "38328012345", "+38328012345"),
        ("GB", "447911123456", "+447911123456"),
        ("AT", "43 (0) 664 123456", "+43664123456"),
    ],
)
def test_the_own_calling_code_is_known_without_its_plus(region, text, e164):
    """Section 9: Excel and message ids leave it out, and the library holds the long one valid."""
    assert canonical(text, region) == e164


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("DE", "1711239901", "+491711239901"),
        ("DE", "0171 1239901", "+491711239901"),
        ("DE", "04921 123456", "+494921123456"),
        ("DE", "4921123456", "+494921123456"),
        ("SE", "46203665", "+4646203665"),
        ("FI", "35887006", "+35835887006"),
        ("CU", "53324197", "+5353324197"),
        ("MM", "95265975", "+9595265975"),
        ("BR", "55900292627", "+5555900292627"),
        ("IT", "3912345678", "+393912345678"),
        ("ZA", "278266286", "+27278266286"),
        ("US", "4155550100", "+14155550100"),
    ],
)
def test_a_national_number_may_begin_like_the_calling_code(region, text, e164):
    """Emden, Lund, a mobile of Cuba, Burma, Brazil and Italy: the trunk prefix left out or none."""
    assert canonical(text, region) == e164


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("AU", "0061412349911", "+61412349911"),
        ("AU", "00 61 (0)412 349 911", "+61412349911"),
        ("AU", "0011 61 412 349 911", "+61412349911"),
        ("AU", "0044 7911 123456", "+447911123456"),
        ("AU", "001 555 555 0100", "+15555550100"),
        ("BR", "0055 11 99123 4567", "+5511991234567"),
        ("BR", "00 21 1 415 555 0100", "+14155550100"),
        ("CO", "0057 300 1234567", "+573001234567"),
        ("KH", "0085512345678", "+85512345678"),
        ("KR", "0082 10 1234 5678", "+821012345678"),
        ("KR", "002 44 7911 123456", "+447911123456"),
        ("NG", "009 1 415 555 0100", "+14155550100"),
        ("US", "0044 7911 123456", "+447911123456"),
        ("US", "011 44 7911 123456", "+447911123456"),
        ("US", "0014155550100", "+14155550100"),
        ("TJ", "008812345", "+992008812345"),
    ],
)
def test_00_is_a_plus_wherever_it_is_written(region, text, e164):
    """Not only where calls abroad begin so; the region's own way abroad is read as well."""
    assert canonical(text, region) == e164


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("DE", "1711239902.0"),
        ("DE", "0171 1234515.0"),
        ("DE", "491711234516.0"),
        ("DE", "+491711234516.0"),
        ("DE", "+49 171 1234516.00"),
        ("AU", "412345606.0"),
        ("AU", "412345606.0000"),
        ("AU", "412345606.٠"),
        ("AU", "\u202a412345606.0\u202c "),
        ("US", "4155550100,0"),
        (None, "4155550100.0"),
    ],
)
def test_a_number_that_a_spreadsheet_made_a_decimal_is_refused(region, text):
    """Its zero is no digit of the number: read, it would be another person's."""
    for international in (False, True):
        with pytest.raises(UnparseableNumber):
            canonical(text, region, assume_international=international)


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("FR", "04.12.34.56.00", "+33412345600"),
        ("US", "415.555.0000", "+14155550000"),
        ("US", "415-555.0000", "+14155550000"),
        ("US", "1 415 555.0000", "+14155550000"),
        ("US", "(415) 555-0100.", "+14155550100"),
    ],
)
def test_points_between_groups_are_no_decimals(region, text, e164):
    assert canonical(text, region) == e164


def test_every_region_knows_its_own_calling_code():
    """Of each region's examples, wherever eleven digits or more tell: 00 and the bare code."""
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    for region, kind in ((r, k) for r in sorted(phonenumbers.SUPPORTED_REGIONS) for k in kinds):
        shown = phonenumbers.example_number_for_type(region, kind)
        if shown is None:
            continue
        text = phonenumbers.format_number(shown, phonenumbers.PhoneNumberFormat.E164)
        e164 = outcome(canonical, text)
        if e164 is None:
            continue
        assert canonical("00" + text[1:], region) == e164, region
        if len(text) > CODE_AND_NUMBER_DIGITS:
            assert canonical(text[1:], region) == e164, region


def test_a_possible_but_invalid_number_is_accepted():
    """Contract section 2: a STOP from one is never refused."""
    assert not phonenumbers.is_valid_number(phonenumbers.parse("+15555550100"))
    assert canonical("+15555550100") == "+15555550100"
    assert canonical("+1 555 555 0100") == "+15555550100"


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("14155550100", None, "+14155550100"),
        ("447911123456", "US", "+447911123456"),
        ("27821234567", None, "+27821234567"),
        ("0821234567", "ZA", "+27821234567"),
        ("+27821234567", None, "+27821234567"),
    ],
)
def test_providers_that_leave_out_the_plus_are_read_as_they_mean_it(text, region, e164):
    assert canonical(text, region, assume_international=True) == e164


@pytest.mark.parametrize("text", ["12345", "491234", "62345"])
def test_a_short_code_is_refused_even_where_digits_are_international(text):
    with pytest.raises(UnparseableNumber):
        canonical(text, assume_international=True)


@pytest.mark.parametrize(
    ("region", "forms", "e164"),
    [
        (
            "MX",
            ["+5215512345678", "+525512345678", "55 1234 5678", "1 55 1234 5678"],
            "+525512345678",
        ),
        (
            "AR",
            ["+5491155551234", "+541155551234", "+54 11 15 5555 1234", "011 15 5555-1234"],
            "+5491155551234",
        ),
        ("AR", ["+54 9 3442 15 1234", "+54 3442 15 1234"], "+5493442151234"),
        (
            "BR",
            ["+551191234567", "+5511991234567", "(11) 9123-4567", "011 99123-4567"],
            "+5511991234567",
        ),
    ],
)
def test_one_person_has_one_number_whatever_the_plan_was_when_it_was_noted(region, forms, e164):
    """Section 9: +521 to +52, Argentina's 9, Brazil's ninth digit."""
    assert {canonical(form, region) for form in forms} == {e164}


@pytest.mark.parametrize("landline", ["+551130001234", "+548001234567", "+558001234567"])
def test_the_table_leaves_brazilian_landlines_and_toll_free_numbers_alone(landline):
    assert canonical(landline) == landline


e164_like = st.one_of(
    st.from_regex(r"\+[1-9][0-9]{5,16}", fullmatch=True),
    st.from_regex(r"\+(52|521|54|549|55|27|390|1|44|81|7|800|979)[0-9]{6,11}", fullmatch=True),
    st.from_regex(r"\+54(11|2[239]\d{1,2}|3\d{2,3})15\d{6,8}", fullmatch=True),
)


def outcome(read, text):
    try:
        return read(text)
    except UnparseableNumber:
        return None


@settings(deadline=None, max_examples=800)
@given(e164_like)
@example("+4407911123456")
@example("+15551234")
@example("+2782123456")
@example("+5491115123456")
def test_the_fast_path_agrees_with_the_patient_one(text):
    patient = outcome(lambda t: number._read(t, None, False), text)
    assert outcome(canonical, text) == patient


def libphonenumber_says(text):
    """E.164 by the library alone, asked again until it has no trunk prefix left to take away."""
    try:
        parsed = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE or not 8 <= len(e164) <= 16:
        return None
    return e164 if e164 == text else libphonenumber_says(e164)


@settings(deadline=None, max_examples=800)
@given(e164_like)
@example("+4300107097009616")
def test_both_agree_with_libphonenumber_where_our_table_has_nothing_to_say(text):
    if not text.startswith(("+27", "+52", "+54", "+55")):
        assert outcome(canonical, text) == libphonenumber_says(text)


@settings(deadline=None, max_examples=800)
@given(e164_like)
@example("+4300107097009616")
@example("+4905558")
def test_what_is_canonical_stays_as_it_is(text):
    e164 = outcome(canonical, text)
    if e164 is not None:
        assert canonical(e164) == e164
        assert re.fullmatch(r"\+[1-9]\d{6,14}", e164)


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["ZA", "US", "KR", None]), st.booleans())
def test_any_text_gives_a_number_or_a_refusal(text, region, international):
    e164 = outcome(lambda t: canonical(t, region, assume_international=international), text)
    assert e164 is None or canonical(e164) == e164


def test_every_region_can_write_its_own_mobiles():
    """Of each region's example mobile: international, national and E.164 forms are one number."""
    formats = phonenumbers.PhoneNumberFormat
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        mobile = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if mobile is None:
            continue
        shown = [
            phonenumbers.format_number(mobile, form)
            for form in (formats.E164, formats.INTERNATIONAL, formats.NATIONAL)
        ]
        assert len({canonical(text, region) for text in shown}) == 1, region


def test_the_geocoder_is_never_loaded():
    """It would cost every process six seconds and 190 MB."""
    canonical("+14155550100")
    assert "phonenumbers.geocoder" not in sys.modules


KEYS = {1: bytes(range(32)), 2: bytes(range(100, 180))}


def hmac_of(key: bytes, domain: str, data: bytes) -> bytes:
    return hmac.digest(key, domain.encode() + b"\0" + data, "sha256")


@pytest.mark.parametrize("generation", [1, 2])
def test_a_number_id_is_a_version_8_uuid_of_the_standard_hmac(generation):
    """RFC 2104 and RFC 9562 section 5.8, against the standard library's own HMAC."""
    ring = Keyring({generation: KEYS[generation]})
    found = ring.number_id(ACCOUNT, "+14155550100")
    mac = hmac_of(KEYS[generation], "number-id", ACCOUNT.bytes + b"+14155550100")
    expected = bytearray(mac[:16])
    expected[6] = expected[6] & 0x0F | 0x80
    expected[8] = expected[8] & 0x3F | 0x80
    assert found.bytes == bytes(expected)
    assert found.version == 8


def test_ids_differ_by_account_number_and_generation():
    ring = Keyring(KEYS)
    ids = {
        identity
        for account in (ACCOUNT, OTHER_ACCOUNT)
        for e164 in ("+14155550100", "+14155550101")
        for identity in ring.candidate_ids(account, e164)
    }
    assert len(ids) == 8


def test_candidates_come_newest_first_and_old_ids_stay_findable():
    """Section 9: a stream keeps its first id when a new generation comes."""
    old, ring = Keyring({1: KEYS[1]}), Keyring(KEYS)
    newest, oldest = ring.candidate_ids(ACCOUNT, "+14155550100")
    assert newest == ring.number_id(ACCOUNT, "+14155550100")
    assert oldest == old.number_id(ACCOUNT, "+14155550100")
    assert ring.generations == (2, 1)


@pytest.mark.parametrize("text", ["0821234567", "", "+27 82 123 4567", "+２7821234567"])
def test_only_a_canonical_number_gets_an_id(text):
    with pytest.raises(UnparseableNumber):
        Keyring(KEYS).number_id(ACCOUNT, text)


def test_a_ring_survives_being_written_down():
    ring = Keyring.generate().rotated()
    again = Keyring.parse(ring.dump())
    assert again.dump() == ring.dump()
    assert again.generations == (2, 1)
    assert again.number_id(ACCOUNT, "+14155550100") == ring.number_id(ACCOUNT, "+14155550100")


SHORT = b64encode(b"x" * 31).decode()
LONG = b64encode(b"x" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        LONG,
        f"0:{LONG}",
        f"one:{LONG}",
        f"1:{SHORT}",
        f"1:{LONG},1:{LONG}",
        f"1:{LONG},",
        f"1:!{LONG}",
        f"1:é{LONG}",
    ],
)
def test_a_ring_that_cannot_be_used_is_refused_without_showing_a_key(text):
    with pytest.raises(KeyringError) as refusal:
        Keyring.parse(text)
    assert LONG[:8] not in repr(refusal.value)


def test_an_empty_ring_is_refused():
    with pytest.raises(KeyringError):
        Keyring({})


def test_a_ring_never_shows_its_keys():
    ring = Keyring(KEYS)
    assert repr(ring) == str(ring) == "Keyring(generations=(2, 1))"


def test_check_values_know_a_key_again_and_tell_others_apart():
    """Section 9: start-up refuses a wrong key."""
    ring = Keyring(KEYS)
    assert ring.check_value(1) == Keyring({1: KEYS[1]}).check_value(1)
    assert len({ring.check_value(1), ring.check_value(2)}) == 2
    assert Keyring({1: KEYS[2]}).check_value(1) != ring.check_value(1)
    with pytest.raises(KeyringError):
        ring.check_value(3)


def test_digests_are_separated_by_purpose_and_follow_the_generations():
    ring, data = Keyring(KEYS), b"a key's secret part"
    assert ring.digest("api-key", data) == hmac_of(KEYS[2], "digest:api-key", data)
    assert ring.digest("api-key", data) != ring.digest("words", data)
    assert ring.candidate_digests("api-key", data) == (
        ring.digest("api-key", data),
        Keyring({1: KEYS[1]}).digest("api-key", data),
    )


@pytest.mark.parametrize("purpose", ["", "a\0b"])
def test_a_digest_needs_a_purpose_that_cannot_run_into_the_data(purpose):
    with pytest.raises(KeyringError):
        Keyring(KEYS).digest(purpose, b"")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("from +14155550100 to 082 123 4567.", f"from {MASK} to {MASK}."),
        ("whatsapp:+27821234567", f"whatsapp:{MASK}"),
        ("call (415) 555-0100 now", f"call ({MASK} now"),
        ("＋１４１５５５５０１００", MASK),
        ("+27 (0) 82\u2011123\u20114567", MASK),
        ("14155550100", MASK),
        ("+54 91", MASK),
        ("row 12, 3456 rows, code 30003", "row 12, 3456 rows, code 30003"),
        ("at 2026-11-22T10:00:00.123456+00:00", "at 2026-11-22T10:00:00.123456+00:00"),
        (
            "id 0193a7c4-0000-8000-8000-446655440000 ok",
            "id 0193a7c4-0000-8000-8000-446655440000 ok",
        ),
        ("2026-11-22T10:00:00Z 0821234567", f"2026-11-22T10:00:00Z {MASK}"),
    ],
)
def test_logs_lose_numbers_and_keep_instants_and_ids(text, masked):
    """Section 9: logs and errors mask numbers."""
    assert mask(text) == masked


@settings(deadline=None)
@given(
    st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True),
    st.lists(st.sampled_from(["", " ", "-", ".", "(", ") ", "\u00a0", "\u200b"]), min_size=16),
    st.sampled_from(["", "to ", "x=", "a:", "\n"]),
)
def test_no_way_of_spacing_a_number_gets_past_the_mask(digits, spaces, before):
    shown = before + "".join(d + s for d, s in zip(digits, spaces, strict=False))
    assert not re.search(r"\d", mask(shown))


@settings(deadline=None)
@given(st.text(alphabet="0123456789+-() :TZ.abcdef\u200b", max_size=300))
def test_masking_twice_changes_nothing(text):
    assert mask(mask(text)) == mask(text)
