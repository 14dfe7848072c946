"""Names, places and shops of the synthetic bank, in Chinese and English.

In: a language. Out: tables of words. Shops: name, ISO 18245 category code, category.
Common family and given names put together at random; whoever bears one is not meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Shop(NamedTuple):
    """Who is paid by card, and what it is for."""

    name: str
    mcc: str
    category: str


@dataclass(frozen=True)
class Words:
    """One language's tables."""

    families: tuple[str, ...]
    given: tuple[tuple[str, str], ...]  # (woman's, man's)
    between: str
    family_first: bool
    cities: dict[str, str]  # branch → city
    employers: tuple[str, ...]
    occupations: tuple[str, ...]
    landlord: str
    shops: dict[str, tuple[Shop, ...]]
    bills: tuple[Shop, ...]
    subscriptions: tuple[Shop, ...]
    complaints: tuple[str, ...]
    questions: tuple[str, ...]
    praise: tuple[str, ...]


ZH = Words(
    families=tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"),
    given=(
        ("芳", "伟"), ("敏", "强"), ("静", "磊"), ("丽", "军"), ("娜", "勇"), ("雪梅", "建国"),
        ("秀英", "志明"), ("欣怡", "浩然"), ("子涵", "俊杰"), ("雨桐", "宇轩"), ("晓燕", "海涛"),
        ("思琪", "文博"), ("佳怡", "子轩"), ("婷", "鹏"),
    ),
    between="",
    family_first=True,
    cities={"SH-01": "Shanghai", "SH-02": "Shanghai", "BJ-01": "Beijing", "GZ-01": "Guangzhou",
            "CD-01": "Chengdu"},
    employers=("晨光机械厂", "海天科技", "东方出版社", "第九小学", "云杉设计", "和平医院"),
    occupations=("教师", "工程师", "护士", "会计", "司机", "设计师", "店主", "研究员"),
    landlord="安居房屋租赁",
    shops={
        "groceries": (Shop("万家超市", "5411", "groceries"), Shop("鲜生活", "5411", "groceries"),
                      Shop("社区菜场", "5499", "groceries")),
        "dining": (Shop("老街面馆", "5812", "dining"), Shop("蜀香火锅", "5812", "dining"),
                   Shop("早点铺", "5814", "dining")),
        "transport": (Shop("城市地铁", "4111", "transport"), Shop("顺风出租", "4121", "transport")),
        "shopping": (Shop("百货大楼", "5311", "shopping"), Shop("数码广场", "5732", "shopping"),
                     Shop("云上商城", "5964", "shopping")),
        "health": (Shop("康民药房", "5912", "health"),),
        "fuel": (Shop("城南加油站", "5541", "fuel"),),
    },
    bills=(Shop("市电力公司", "4900", "utilities"), Shop("市自来水公司", "4900", "utilities"),
           Shop("通达电信", "4814", "telecom")),
    subscriptions=(Shop("星海视频", "5968", "subscription"),
                   Shop("听风音乐", "5968", "subscription"),
                   Shop("云盘会员", "5968", "subscription"),
                   Shop("动力健身", "7997", "subscription")),
    complaints=("取款机吞卡", "重复扣款", "转账未到账", "年费有误"),
    questions=("如何提高限额", "贷款提前还款", "换卡进度"),
    praise=("服务很好", "等得有点久", "一般", "很满意"),
)  # fmt: skip

EN = Words(
    families=("Wang", "Li", "Zhang", "Liu", "Chen", "Yang", "Zhao", "Huang", "Zhou", "Wu", "Xu",
              "Sun", "Hu", "Zhu", "Gao", "Lin", "He", "Guo", "Ma", "Luo"),
    given=(
        ("Fang", "Wei"), ("Min", "Qiang"), ("Jing", "Lei"), ("Li", "Jun"), ("Na", "Yong"),
        ("Xuemei", "Jianguo"), ("Xiuying", "Zhiming"), ("Xinyi", "Haoran"), ("Zihan", "Junjie"),
        ("Yutong", "Yuxuan"), ("Xiaoyan", "Haitao"), ("Grace", "Daniel"), ("Emily", "Kevin"),
        ("Ting", "Peng"),
    ),
    between=" ",
    family_first=False,
    cities=ZH.cities,
    employers=("Morninglight Machines", "Seasky Technology", "Orient Press", "No. 9 School",
               "Spruce Design", "Peace Hospital"),
    occupations=("teacher", "engineer", "nurse", "accountant", "driver", "designer", "shopkeeper",
                 "researcher"),
    landlord="Homestead Lettings",
    shops={
        "groceries": (Shop("Everyday Market", "5411", "groceries"),
                      Shop("Fresh Life", "5411", "groceries"),
                      Shop("Corner Greengrocer", "5499", "groceries")),
        "dining": (Shop("Old Street Noodles", "5812", "dining"),
                   Shop("Sichuan Hotpot", "5812", "dining"),
                   Shop("Breakfast Counter", "5814", "dining")),
        "transport": (Shop("City Metro", "4111", "transport"),
                      Shop("Tailwind Taxi", "4121", "transport")),
        "shopping": (Shop("Grand Department Store", "5311", "shopping"),
                     Shop("Digital Plaza", "5732", "shopping"),
                     Shop("Cloud Mall", "5964", "shopping")),
        "health": (Shop("Kangmin Pharmacy", "5912", "health"),),
        "fuel": (Shop("South Gate Fuel", "5541", "fuel"),),
    },
    bills=(Shop("City Power", "4900", "utilities"), Shop("City Water", "4900", "utilities"),
           Shop("Tongda Telecom", "4814", "telecom")),
    subscriptions=(Shop("Starsea Video", "5968", "subscription"),
                   Shop("Windsong Music", "5968", "subscription"),
                   Shop("Cloud Drive", "5968", "subscription"),
                   Shop("Power Gym", "7997", "subscription")),
    complaints=("card kept by the machine", "charged twice", "transfer not arrived", "wrong fee"),
    questions=("raise my limit", "repay a loan early", "where is my card"),
    praise=("very friendly", "waited a while", "all right", "very satisfied"),
)  # fmt: skip

WORDS = {"zh": ZH, "en": EN}
# Who else is paid or pays now and then; in English banks they are called what they are called here.
ZH_NAMES = {
    "Tax office": "税务局", "East Motors": "东风汽车城", "Golden Jewellery": "金玉珠宝",
    "Pacific Mutual": "太平互助保险", "QuickPlay": "快玩游戏", "Skyline Estates": "天际地产",
    "Harbour Capital": "海港资本", "Lin Xia": "林夏", "Wu Ming": "吴明",
}  # fmt: skip
# Where people travel: country, city, a hotel, a place to eat, currency is the account's own.
ABROAD = (
    ("JP", "Tokyo", "Hotel Sakura", "Ramen Taro"),
    ("TH", "Bangkok", "River Inn", "Som Tam House"),
    ("FR", "Paris", "Hotel du Pont", "Bistro Jules"),
    ("SG", "Singapore", "Harbour View", "Hawker 88"),
)


def full_name(words: Words, family: int, given: int, *, is_woman: bool) -> str:
    """As its language writes it; numbers choose from the tables."""
    first = words.given[given % len(words.given)][0 if is_woman else 1]
    last = words.families[family % len(words.families)]
    return words.between.join((last, first) if words.family_first else (first, last))
