"""Industries: a short list that sales people use, mapped to 日本標準産業分類 (JSIC, sections A-T)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Industry:
    """`jsic` holds the sections (letters) or divisions (two digits) of JSIC that fall under this key."""

    key: str
    ja: str
    en: str
    jsic: tuple[str, ...]

    def label(self, language: str) -> str:
        return self.ja if language == "ja" else self.en


INDUSTRIES = {
    industry.key: industry
    for industry in (
        Industry("it", "IT・情報通信", "IT", ("G",)),
        Industry("manufacturing", "製造", "manufacturing", ("E",)),
        Industry("retail", "小売", "retail", ("56", "57", "58", "59", "60", "61")),
        Industry("wholesale", "卸売・商社", "wholesale", ("50", "51", "52", "53", "54", "55")),
        Industry("construction", "建設", "construction", ("D",)),
        Industry("realestate", "不動産", "real estate", ("K",)),
        Industry("finance", "金融・保険", "finance and insurance", ("J",)),
        Industry("logistics", "運輸・物流", "transport and logistics", ("H",)),
        Industry("energy", "電気・ガス・水道", "utilities", ("F",)),
        Industry("professional", "専門・技術サービス", "professional services", ("L",)),
        Industry("hospitality", "宿泊・飲食", "hotels and restaurants", ("M",)),
        Industry("lifestyle", "生活関連・娯楽", "lifestyle and leisure", ("N",)),
        Industry("education", "教育", "education", ("O",)),
        Industry("medical", "医療・福祉", "medical and welfare", ("P",)),
        Industry("services", "その他サービス", "other services", ("Q", "R")),
        Industry("public", "官公庁", "public sector", ("S",)),
        Industry("primary", "農林水産・鉱業", "primary industry", ("A", "B", "C")),
    )
}
