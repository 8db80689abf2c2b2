"""Countries as lists of people name them -> ISO 3166 code, by which a telephone number is read. Pure."""

from . import ja

_NAMES = {
    "JP": "日本 japan jpn 日本国",
    "US": "アメリカ 米国 アメリカ合衆国 usa unitedstates unitedstatesofamerica u.s.a. u.s. 美国",
    "CA": "カナダ canada can",
    "GB": "イギリス 英国 unitedkingdom uk gbr greatbritain england",
    "IE": "アイルランド ireland irl",
    "DE": "ドイツ germany deutschland deu",
    "FR": "フランス france fra",
    "IT": "イタリア italy italia ita",
    "ES": "スペイン spain españa esp",
    "PT": "ポルトガル portugal prt",
    "NL": "オランダ netherlands nederland nld",
    "BE": "ベルギー belgium bel",
    "CH": "スイス switzerland schweiz che",
    "AT": "オーストリア austria österreich aut",
    "SE": "スウェーデン sweden sverige swe",
    "NO": "ノルウェー norway nor",
    "DK": "デンマーク denmark dnk",
    "FI": "フィンランド finland fin",
    "PL": "ポーランド poland pol",
    "CZ": "チェコ czechrepublic czechia cze",
    "CN": "中国 中華人民共和国 china chn 中华人民共和国",
    "TW": "台湾 臺灣 taiwan twn",
    "HK": "香港 hongkong hkg",
    "KR": "韓国 大韓民国 korea southkorea republicofkorea kor 한국",
    "SG": "シンガポール singapore sgp",
    "MY": "マレーシア malaysia mys",
    "TH": "タイ thailand tha",
    "VN": "ベトナム vietnam vnm",
    "ID": "インドネシア indonesia idn",
    "PH": "フィリピン philippines phl",
    "IN": "インド india ind",
    "AU": "オーストラリア 豪州 australia aus",
    "NZ": "ニュージーランド newzealand nzl",
    "BR": "ブラジル brazil brasil bra",
    "MX": "メキシコ mexico méxico mex",
    "AE": "アラブ首長国連邦 unitedarabemirates uae are",
    "IL": "イスラエル israel isr",
    "TR": "トルコ turkey türkiye tur",
}
_BY_NAME = {ja.fold(name): code for code, names in _NAMES.items() for name in [code, *names.split()]}


def code(name: str) -> str:
    """The two letters of a country named in Japanese, English or by its code; '' for none that we know."""
    return _BY_NAME.get(ja.fold(name), "")
