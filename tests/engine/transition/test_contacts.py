"""Numbers that the bank never uses: where a text message cannot be read, or the call is a trap."""

import pytest
from bank import Bank, facts, program_of

PROGRAM = program_of(
    """
rule: told
event: transaction
when: amount > 100
notify: {class: security, template: t, channels: [sms]}
""",
    policies="""
bank: {time_zone: Asia/Shanghai, language: zh, currency: CNY, country: CN}
channels:
  sms: {contact: mobile, providers: [alpha]}
""",
)
NUMBERS = [
    ("a mobile phone", "+8613900139000", "sent"),
    ("a landline in Beijing", "+861066668888", "number_not_allowed"),
    ("a premium number in Britain", "+449098790000", "number_not_allowed"),
    ("a premium number in the United States", "+19002345678", "number_not_allowed"),
    ("a number of a country that does not tell its types apart", "+12125550123", "sent"),
]


@pytest.mark.parametrize(("address", "reason"), [row[1:] for row in NUMBERS],
                         ids=[row[0] for row in NUMBERS])  # fmt: skip
def test_a_text_message_goes_only_where_it_can_be_read_at_no_ones_profit(address, reason):
    bank = Bank(PROGRAM).take(*facts())
    bank.record().contacts.clear()
    bank.take({"type": "contact", "customer_id": "C1", "kind": "mobile", "verified": True,
               "primary": True, "address": address, "at": "2026-03-02T11:00:00"},
              {"type": "transaction", "account_id": "A1", "amount": 200, "direction": "debit",
               "at": "2026-03-02T12:00:00"})  # fmt: skip
    bank.until("2026-03-02T12:01:00")
    assert [one.reason for one in bank.decisions] == [reason]
