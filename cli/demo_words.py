"""The words of the demo, in English and Chinese: headings, reasons, and each event as a sentence.

In: an event or a reason, a language. Out: a line for a person who never saw Belfry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from belfry.runtime.bank.life import ZONE

HEADINGS: dict[str, dict[str, str]] = {
    "en": {
        "bank": "A synthetic bank: {customers:,} customers, {days} days from {start}, seed {seed}. "
        "Nobody in it exists.",
        "flow": "{events:,} events made {rules} rules ask {decisions:,} times: may we tell them?",
        "result": "{messages:,} messages went out, {stopped:,} did not; {tasks:,} tasks for staff.",
        "per_head": "That is {few:.1f} messages per customer and month.",
        "broken": "{count} records were broken on purpose and set aside: {reasons}.",
        "sent": "What was sent",
        "stopped": "What was not sent, and why",
        "waited": "{count:,} waited for the end of quiet hours: {fates}.",
        "rules": "The rules that spoke most",
        "more": "… and {count} more rules: --all shows them",
        "stories": "Three customers' stories",
        "class": "class", "total": "messages", "rule": "rule", "sends": "sent",
        "stops": "not sent", "tasks": "tasks", "mostly": "mostly because",
        "since": "customer since {since}, {city}",
        "time": "(a date has come)", "over": "(quiet hours are over)",
        "send": "sent", "hold": "held", "suppress": "not sent", "task": "task", "emit": "noted",
        "until": "quiet hours, until {until}", "staff": "for staff", "event": "for other rules",
        "yours": "`belfry serve` runs on {url} and takes your own event. In another terminal:",
        "change": "Change the id and the amount and look below; the times are in UTC.",
        "starting": "Handing the customers to `belfry serve` …",
        "live": "Now live: time runs {speed} times as fast. Ctrl-C ends it.",
        "end": "That was the bank. Messages shown live: {messages:,}.",
        "ask": "Why, or why not?", "own": "Your own first rule, in five minutes:",
        "again": "The same bank as a file:",
    },
    "zh": {
        "bank": "虚构银行：{customers:,} 位客户，自 {start} 起 {days} 天，种子 {seed}。"
        "客户均为虚构。",
        "flow": "{events:,} 个事件让 {rules} 条规则 {decisions:,} 次发问：可以通知客户吗？",
        "result": "发出 {messages:,} 条消息，未发 {stopped:,} 条，员工任务 {tasks:,} 项。",
        "per_head": "每位客户每月 {few:.1f} 条消息。",
        "broken": "另有 {count} 条有意损坏的记录被隔离：{reasons}。",
        "sent": "发出了什么",
        "stopped": "哪些没有发出，为什么",
        "waited": "{count:,} 条因免打扰时段暂存：{fates}。",
        "rules": "发言最多的规则",
        "more": "……另有 {count} 条规则，用 --all 查看",
        "stories": "三位客户的故事",
        "class": "类别", "total": "消息", "rule": "规则", "sends": "发出",
        "stops": "未发", "tasks": "任务", "mostly": "主要原因",
        "since": "{since} 开户，{city}", "time": "（约定的时间到了）", "over": "（免打扰时段结束）",
        "send": "发出", "hold": "暂存", "suppress": "不发", "task": "任务", "emit": "记录",
        "until": "免打扰，{until} 再看", "staff": "交给员工", "event": "供其他规则使用",
        "yours": "`belfry serve` 运行在 {url}，也接受您自己的事件。请在另一个终端执行：",
        "change": "修改 id 和金额，再看下面的消息；时间为 UTC。",
        "starting": "正在把客户交给 `belfry serve` ……",
        "live": "现在是实时：时间快 {speed} 倍。按 Ctrl-C 结束。",
        "end": "演示结束：共 {messages:,} 条消息。",
        "ask": "为什么发、为什么没发？", "own": "五分钟写出第一条规则：",
        "again": "把同一家银行存成文件：",
    },
}  # fmt: skip

REASONS: dict[str, tuple[str, str]] = {
    "sent": ("sent", "已发出"),
    "quiet_hold": ("held until quiet hours end", "免打扰时段，暂存"),
    "no_consent": ("no consent for this purpose", "没有授权"),
    "opted_out": ("the customer opted out", "客户已退订"),
    "number_not_allowed": ("a landline or premium number", "固定电话或收费号码"),
    "no_contact": ("no contact point for its channels", "没有可用的联系方式"),
    "unverified_contact": ("contact never verified", "联系方式未验证"),
    "suppressed_contact": ("contact bounced or said STOP", "联系方式已停用"),
    "country_not_allowed": ("phone of a country not allowed", "号码所在国家不允许"),
    "cooldown": ("told too recently", "刚刚通知过"),
    "duplicate": ("decided before", "重复"),
    "not_true_any_more": ("no longer true", "情况已变，不再属实"),
    "reversed": ("the payment was reversed", "交易已冲正"),
    "expired": ("too late to be of use", "已过有效期"),
    "missed": ("nobody looked in time", "错过了时间"),
    "lost_arbitration": ("something more important went first", "让位于更重要的消息"),
    "inhibited": ("another rule covers it", "被其他规则抑制"),
    "superseded": ("replaced by newer news", "被更新的消息取代"),
    "holdout": ("in the control group", "对照组"),
    "not_rolled_out": ("rule not on here yet", "规则尚未推广到此"),
    "not_active": ("outside the rule's dates", "不在规则有效期内"),
    "paused": ("the customer paused messages", "客户暂停了消息"),
    "erased": ("asked to be forgotten", "客户要求删除"),
    "customer_gone": ("died or left the bank", "客户已离开"),
    "provider_rejected": ("provider refused", "服务商拒绝"),
    "provider_exhausted": ("no provider took it in time", "服务商均未接受"),
    "unknown_zone": ("time zone unknown", "时区未知"),
    "rule_broken": ("the rule failed too often", "规则出错过多"),
    "rule_removed": ("the rule was removed", "规则已移除"),
    "rule_changed": ("the rule was changed", "规则已修改"),
    "warming_up": ("the rule still learns", "规则仍在预热"),
    "no_answer": ("provider gave no answer", "服务商没有回应"),
}


def reason_words(reason: str, language: str) -> str:
    """In words; a cap is named; a reason that is new here stays what it is."""
    if reason.startswith("cap_"):
        cap = reason.removeprefix("cap_")
        return f"频次上限 {cap}" if language == "zh" else f"enough for now ({cap})"
    pair = REASONS.get(reason)
    return reason.replace("_", " ") if pair is None else pair[language == "zh"]


def local(at: dt.datetime) -> dt.datetime:
    return at.astimezone(ZONE)


def moment_words(at: dt.datetime, language: str) -> str:
    there = local(at)
    if language == "zh":
        return f"{there:%m-%d %H:%M}"
    return f"{there:%d} {MONTHS[there.month - 1]} {there:%H:%M}"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def event_words(event: Any, language: str) -> str:
    """What happened, in one line."""
    kind = event.__struct_config__.tag
    teller = TELLERS.get(kind)
    if teller is not None:
        return teller(event, language == "zh")
    return HEADINGS[language]["time"] if kind == "timer" else kind.replace("_", " ")


def _amount(value: Decimal | None) -> str:
    return "?" if value is None else f"{value:,.2f}"


def _transaction(event: Any, is_zh: bool) -> str:
    other = event.merchant or event.counterparty
    name = getattr(other, "name", None)
    what = event.purpose or event.category or event.operation or ""
    where = f" ({name})" if name else f" ({what.replace('_', ' ')})" if what else ""
    country = getattr(event.merchant, "country", None) or "CN"
    if country != "CN":
        where += f" {country}"
    amount, balance = _amount(event.amount), _amount(event.balance)
    if event.status == "declined":
        return (f"付款被拒 {amount}{where}" if is_zh else f"declined: {amount}{where}")  # fmt: skip
    if event.reverses is not None:
        return f"冲正 {amount}{where}" if is_zh else f"reversed: {amount}{where}"
    if event.direction == "credit":
        return (f"收入 {amount}{where}，余额 {balance}" if is_zh
                else f"received {amount}{where}, balance {balance}")  # fmt: skip
    return (f"支出 {amount}{where}，余额 {balance}" if is_zh
            else f"paid {amount}{where}, balance {balance}")  # fmt: skip


def _login(event: Any, is_zh: bool) -> str:
    if event.outcome == "failure":
        return "登录失败" if is_zh else "a login failed"
    if event.new_device:
        return "新设备登录" if is_zh else "logged in from a new device"
    return "登录" if is_zh else "logged in"


def _fact(noun: tuple[str, str], *fields: str) -> Callable[[Any, bool], str]:
    def said(event: Any, is_zh: bool) -> str:
        known = [(name, getattr(event, name, UNSET)) for name in fields]
        told = [f"{name.replace('_', ' ')} {value}" for name, value in known
                if value is not UNSET and value is not None]  # fmt: skip
        return (
            f"{noun[is_zh]}{'：' if is_zh else ': '}{', '.join(told[:2])}" if told else noun[is_zh]
        )

    return said


TELLERS: dict[str, Callable[[Any, bool], str]] = {
    "transaction": _transaction,
    "login": _login,
    "customer": _fact(("master data", "客户资料"), "status", "open_complaints"),
    "account": _fact(("account", "账户"), "product", "status"),
    "card": _fact(("card", "卡片"), "status", "replaced_by"),
    "loan": _fact(("loan", "贷款"), "status", "amount_due", "next_due_on"),
    "contact": _fact(("contact point", "联系方式"), "kind"),
    "consent": _fact(("consent", "授权"), "purpose", "given"),
    "preference": _fact(("wishes", "偏好")),
    "security": _fact(("security setting", "安全信息"), "changed"),
    "request": _fact(("service request", "服务请求"), "kind", "step"),
    "survey": _fact(("survey", "问卷"), "score"),
    "score": _fact(("model score", "模型评分"), "model", "label"),
    "interaction": _fact(("contact with the bank", "互动"), "kind"),
    "branch_visit": _fact(("visited a branch", "到访网点"), "waited_minutes"),
    "segment": _fact(("segment", "分群"), "name", "after"),
}
