"""What a file says of a person's company, as the company's columns hold it. Pure."""

import re
import unicodedata
from collections.abc import Callable

from stdnum.jp import cn

from hagukumi.kit import ja
from hagukumi.people.companies.rules import INDUSTRIES

_WORDS = {
    "it": "情報通信業 情報通信 情報サービス ソフトウェア インターネット 通信 it it関連 software technology"
    " informationtechnology telecommunications computersoftware internet communications",
    "manufacturing": "製造業 メーカー 製造・メーカー 機械 電機 化学 食品 manufacturing electronics machinery chemicals"
    " biotechnology apparel",
    "retail": "小売業 小売・流通 流通・小売 retail",
    "wholesale": "卸売業 卸売 商社 卸売業・小売業 卸売業,小売業 卸売・小売業 wholesale",
    "construction": "建設業 建設・土木 建築 construction engineering",
    "realestate": "不動産業 不動産 不動産業・物品賃貸業 不動産業,物品賃貸業 realestate",
    "finance": "金融業 保険業 金融 保険 金融・保険業 金融業・保険業 金融業,保険業 銀行 証券 finance banking insurance"
    " financialservices",
    "logistics": "運輸業 物流 運輸・郵便業 運輸業・郵便業 運輸業,郵便業 運輸・倉庫 transportation logistics shipping",
    "energy": "電気・ガス・熱供給・水道業 電力・ガス エネルギー energy utilities",
    "professional": "学術研究・専門・技術サービス業 学術研究,専門・技術サービス業 専門サービス業 コンサルティング"
    " コンサル 広告 consulting",
    "hospitality": "宿泊業・飲食サービス業 宿泊業,飲食サービス業 宿泊業 飲食業 飲食 飲食・宿泊 ホテル 外食 hospitality",
    "lifestyle": "生活関連サービス業・娯楽業 生活関連サービス業,娯楽業 娯楽業 レジャー エンタメ"
    " entertainment recreation media",
    "education": "教育・学習支援業 教育,学習支援業 教育業 学校 education",
    "medical": "医療・福祉業 医療,福祉 医療 福祉 介護 病院 製薬 healthcare medical hospital",
    "services": "サービス業 複合サービス事業 サービス業(他に分類されないもの) サービス services",
    "public": "公務 官公庁・自治体 自治体 地方自治体 官公庁・団体 government",
    "primary": "農業 林業 漁業 鉱業 農業・林業 農業,林業 農林水産業 水産業 農林水産 agriculture mining",
}
_INDUSTRY = {
    ja.fold(word): key
    for key, one in INDUSTRIES.items()
    for word in (key, one.ja, one.en, *_WORDS[key].split())
}  # fmt: skip
_UNITS = {"": 1, "円": 1, "千円": 10**3, "万円": 10**4, "百万円": 10**6, "億円": 10**8, "兆円": 10**12}
_AMOUNT = re.compile(r"[¥￥\\]?(\d+(?:\.\d+)?)(円|千円|万円|百万円|億円|兆円)?")
MOST_YEN, MOST_PEOPLE = 10**15, 10**7


def industry(text: str) -> str:
    """A key of `INDUSTRIES` for an industry as people and other systems name it, '' where it is none of them."""
    plain = ja.fold(text)
    return _INDUSTRY.get(plain) or _INDUSTRY.get(plain.removesuffix("業"), "")


def sales(text: str) -> str:
    """Yen of a year as digits: 1億2000万 is not read, 3億円 and 120,000,000 are; '' where it is no amount."""
    found = _AMOUNT.fullmatch(re.sub(r"[,\s]", "", unicodedata.normalize("NFKC", text)))
    if not found:
        return ""
    amount = round(float(found[1]) * _UNITS[found[2] or ""])
    return str(amount) if amount <= MOST_YEN else ""


def employees(text: str) -> str:
    """How many people, as digits: 50, 1,200名; a range (51-100名) is no number."""
    plain = re.sub(r"[,\s名人]", "", unicodedata.normalize("NFKC", text))
    return plain if plain.isascii() and plain.isdigit() and int(plain[:12]) <= MOST_PEOPLE else ""


def corporate_number(text: str) -> str:
    """The 13 digits of a 法人番号 whose check digit is right, else ''. Source: 法人番号の指定等に関する省令 2条."""
    plain = unicodedata.normalize("NFKC", text)
    return str(cn.compact(plain)) if cn.is_valid(plain) else ""


FACTS: dict[str, Callable[[str], str]] = {
    "corporate_number": corporate_number,
    "industry": industry,
    "sales_yen": sales,
    "employees": employees,
}
"""Target of a file's column (a column of `company`) -> how a cell is read, '' for what cannot be."""
