"""Words out: render texts, carry out attempts at providers, bring their answers back as events.

In: attempts that the engine decided. Out: events. Nothing here decides whether to speak.
"""
