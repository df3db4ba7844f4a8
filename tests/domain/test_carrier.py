"""Carrier reports are classified before they count (R-F7)."""

import pytest

from consent_ledger.carrier import (
    PROVIDERS,
    SUPPRESSES_AT_ONCE,
    DeliveryClass,
    classify,
    is_known,
)


@pytest.mark.parametrize(
    ("meaning", "provider", "codes"),
    [
        ("opted_out", "twilio", "21610"),
        ("opted_out", "telnyx", "40300"),
        ("opted_out", "bandwidth", "4775"),
        ("opted_out", "plivo", "200"),
        ("opted_out", "vonage", "9"),
        ("opted_out", "sinch", "257"),
        ("opted_out", "messagebird", "103"),
        ("opted_out", "aws-sns", "OptedOutException"),
        ("not_mobile", "twilio", "21211 21614 21635 30006"),
        ("not_mobile", "telnyx", "40001 40012"),
        ("not_mobile", "bandwidth", "4303 4404 4406 4700 4720"),
        ("not_mobile", "vonage", "11"),
        ("not_mobile", "aws-sns", "TEXT_INVALID"),
        ("deactivated", "twilio", "30005"),
        ("deactivated", "bandwidth", "4721"),
        ("deactivated", "vonage", "3"),
        ("unreachable", "twilio", "30003"),
        ("unreachable", "telnyx", "40005"),
        ("unreachable", "aws-sns", "TEXT_UNREACHABLE TEXT_CARRIER_UNREACHABLE"),
        ("ambiguous_block", "twilio", "30004"),
        ("ambiguous_block", "telnyx", "40004 40008"),
        ("ambiguous_block", "bandwidth", "4482 4750 4753 4772 4790"),
        ("ambiguous_block", "vonage", "4 14"),
        ("ambiguous_block", "aws-sns", "TEXT_BLOCKED"),
        ("transient", "twilio", "30001 30008 30410"),
        ("transient", "telnyx", "40006 40011 40014"),
        ("transient", "bandwidth", "4701 4702 4730 9902"),
        ("transient", "vonage", "2 7 8 12"),
        ("transient", "aws-sns", "TEXT_TTL_EXPIRED TEXT_UNKNOWN"),
        ("sender_fault", "twilio", "30007 30022 30023 30032 30034"),
        ("sender_fault", "telnyx", "40002 40003 40009 40010 40015 40016"),
        ("sender_fault", "telnyx", "40017 40018 40305 40315 40322 40329"),
        ("sender_fault", "bandwidth", "4470 4740 4770 4773 4774 4780 4781 4785 4795"),
        ("sender_fault", "vonage", "6 52"),
        ("sender_fault", "sinch", "15 60 62 64"),
        ("sender_fault", "aws-sns", "TEXT_SPAM TEXT_CARRIER_BLOCKED TEXT_PROTECT_BLOCKED"),
    ],
)
def test_each_code_has_the_class_of_the_table(meaning, provider, codes):
    for code in codes.split():
        assert classify(provider, code) == meaning
        assert is_known(provider, code)


@pytest.mark.parametrize(
    "code", ["0", "000", "", " ", "delivered", "DELIVERED", "DELIVRD", "read", "TEXT_DELIVERED"]
)
@pytest.mark.parametrize("provider", ["twilio", "vonage", "someone-new"])
def test_words_of_success_are_deliveries(provider, code):
    assert classify(provider, code) is DeliveryClass.DELIVERED
    assert is_known(provider, code)


@pytest.mark.parametrize(
    ("provider", "code"),
    [("twilio", "99999"), ("nobody", "21610"), ("twilio", "queued"), ("vonage", "21610")],
)
def test_what_nobody_listed_is_transient_and_to_be_counted(provider, code):
    assert classify(provider, code) is DeliveryClass.TRANSIENT
    assert not is_known(provider, code)


@pytest.mark.parametrize("provider", ["Twilio", " twilio ", "TWILIO"])
def test_spelling_of_the_provider_does_not_matter(provider):
    assert classify(provider, " 21610 ") is DeliveryClass.OPTED_OUT


@pytest.mark.parametrize("provider", ["aws-sns", "aws_sns", "aws", "sns"])
def test_amazon_is_known_by_any_of_its_names(provider):
    assert classify(provider, "optedoutexception") is DeliveryClass.OPTED_OUT


def test_only_what_speaks_of_the_phone_itself_suppresses_at_once():
    assert sorted(SUPPRESSES_AT_ONCE) == ["deactivated", "not_mobile", "opted_out"]


def test_the_providers_of_the_contract_that_list_codes_are_all_there():
    assert {"twilio", "telnyx", "plivo", "vonage", "sinch", "bandwidth", "aws-sns"} <= PROVIDERS
