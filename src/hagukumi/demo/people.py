"""Invented companies and people: the same for the same random source. Nobody here exists; domains are reserved ones."""

from dataclasses import dataclass
from random import Random

SURNAMES = (
    "佐藤サトウsato 鈴木スズキsuzuki 高橋タカハシtakahashi 田中タナカtanaka 伊藤イトウito 渡辺ワタナベwatanabe "
    "山本ヤマモトyamamoto 中村ナカムラnakamura 小林コバヤシkobayashi 加藤カトウkato 吉田ヨシダyoshida 山田ヤマダyamada "
    "佐々木ササキsasaki 山口ヤマグチyamaguchi 松本マツモトmatsumoto 井上イノウエinoue 木村キムラkimura 林ハヤシhayashi "
    "斎藤サイトウsaito 清水シミズshimizu 山崎ヤマザキyamazaki 森モリmori 池田イケダikeda 橋本ハシモトhashimoto "
    "阿部アベabe 石川イシカワishikawa 前田マエダmaeda 藤田フジタfujita 小川オガワogawa 岡田オカダokada "
    "後藤ゴトウgoto 長谷川ハセガワhasegawa 村上ムラカミmurakami 近藤コンドウkondo 石井イシイishii 坂本サカモトsakamoto "
    "遠藤エンドウendo 青木アオキaoki 藤井フジイfujii 西村ニシムラnishimura 福田フクダfukuda 太田オオタota "
    "三浦ミウラmiura 岡本オカモトokamoto 松田マツダmatsuda 中川ナカガワnakagawa 中野ナカノnakano 原田ハラダharada "
    "小野オノono 田村タムラtamura 竹内タケウチtakeuchi 金子カネコkaneko 和田ワダwada 中山ナカヤマnakayama "
    "石田イシダishida 上田ウエダueda 森田モリタmorita 原ハラhara 柴田シバタshibata 酒井サカイsakai "
    "工藤クドウkudo 横山ヨコヤマyokoyama 宮崎ミヤザキmiyazaki 宮本ミヤモトmiyamoto 内田ウチダuchida 高木タカギtakagi "
    "安藤アンドウando 谷口タニグチtaniguchi 大野オオノono 丸山マルヤマmaruyama 今井イマイimai 髙田タカダtakada"
)
GIVEN = (
    "大輔ダイスケdaisuke 健太ケンタkenta 翔ショウsho 誠マコトmakoto 直樹ナオキnaoki 拓也タクヤtakuya 亮リョウryo "
    "浩ヒロシhiroshi 隆タカシtakashi 剛ツヨシtsuyoshi 和也カズヤkazuya 修オサムosamu 智也トモヤtomoya 学マナブmanabu "
    "陽子ヨウコyoko 美咲ミサキmisaki 恵ケイkei 由美ユミyumi 愛アイai 裕子ユウコyuko 直美ナオミnaomi 久美子クミコkumiko "
    "真由美マユミmayumi 彩アヤaya 智子トモコtomoko 香織カオリkaori 麻衣マイmai 千尋チヒロchihiro 遥ハルカharuka 葵アオイaoi "
    "悠斗ユウトyuto 蓮レンren 陸リクriku 俊介シュンスケshunsuke 慎也シンヤshinya 雄一ユウイチyuichi 洋平ヨウヘイyohei 聡サトシsatoshi"
)
STEMS = (
    "青葉aoba 若松wakamatsu 千早chihaya 美杉misugi 桐生野kiryuno 瑞原mizuhara 東雲shinonome 白河台shirakawadai 朝凪asanagi "
    "北星hokusei 南風minamikaze 光洋台koyodai 大和田owada 富士見fujimi 三栄sanei 常磐tokiwa 清流seiryu 高砂台takasagodai "
    "日向hyuga 榛名haruna 赤城野akagino 天竜tenryu 木曽川kisogawa 信濃shinano 筑紫野chikushino 玄海genkai 瀬戸内setouchi "
    "播磨harima 但馬tajima 湖東koto 伊吹ibuki 鈴鹿野suzukano 志摩shima 遠州enshu 駿河台surugadai 相模野sagamino 武蔵野musashino "
    "多摩川tamagawa 利根tone 那須野nasuno 磐梯bandai 最上mogami 蔵王zao 岩手山iwatesan 津軽tsugaru 石狩ishikari 十勝野tokachino "
    "大雪taisetsu 北見野kitamino 有明ariake"
)
INDUSTRIES = {
    "manufacturing": ("製作所seisakusho 精機seiki 電機denki 化学kagaku 金属kinzoku 食品shokuhin", 0.52),
    "it": ("システムズsystems ソリューションズsolutions データdata", 0.14),
    "retail": ("ストアstore リテールretail", 0.09),
    "wholesale": ("商事shoji 産業sangyo", 0.10),
    "logistics": ("物流logi 運輸unyu", 0.09),
    "construction": ("建設kensetsu エンジニアリングeng", 0.06),
}
PREFECTURES = (
    ("東京都", "千代田区神田", "03", "101-00"),
    ("神奈川県", "横浜市西区", "045", "220-00"),
    ("愛知県", "名古屋市中区", "052", "460-00"),
    ("大阪府", "大阪市北区", "06", "530-00"),
    ("静岡県", "浜松市中央区", "053", "430-00"),
    ("埼玉県", "さいたま市大宮区", "048", "330-08"),
    ("兵庫県", "神戸市中央区", "078", "650-00"),
    ("福岡県", "福岡市博多区", "092", "812-00"),
    ("群馬県", "太田市飯田町", "0276", "373-08"),
    ("長野県", "上田市天神", "0268", "386-00"),
    ("広島県", "広島市中区", "082", "730-00"),
    ("宮城県", "仙台市青葉区", "022", "980-00"),
)
DEPARTMENTS = (
    "生産技術部",
    "製造部",
    "設備保全課",
    "情報システム部",
    "経営企画室",
    "品質保証部",
    "工場管理部",
    "購買部",
    "DX推進室",
)
TITLES = {
    "exec": ("代表取締役", "取締役", "執行役員", "常務取締役"),
    "manager": ("部長", "次長", "課長", "工場長", "室長", "マネージャー"),
    "staff": ("係長", "主任", "担当", "リーダー", "エンジニア"),
}
RANK_SHARE = (("exec", 0.09), ("manager", 0.41), ("staff", 0.50))


@dataclass(frozen=True)
class Company:
    """An invented company. `fit` 0-1: how well the product suits it; it colours behaviour and the outcome of deals."""

    name: str
    domain: str
    industry: str
    sales_yen: int
    employees: int
    prefecture: str
    city: str
    postal_code: str
    phone: str
    fit: float


@dataclass(frozen=True)
class Person:
    """An invented person. `interest` 0-1 decides how often the story lets them read, click and ask."""

    row: dict[str, object]
    company: Company
    rank: str
    interest: float


def _split(word: str) -> tuple[str, ...]:
    """`佐藤サトウsato` -> its kanji, kana and romaji (kana may be missing)."""
    kanji = "".join(c for c in word if not c.isascii() and not "ァ" <= c <= "ヶ" and c != "ー")
    latin = "".join(c for c in word if c.isascii())
    return kanji, word[len(kanji) : len(word) - len(latin)], latin


def _name_part(word: str) -> tuple[str, str]:
    """`製作所seisakusho` -> what is written, and its romaji; katakana belongs to the name here."""
    latin = "".join(c for c in word if c.isascii())
    return word[: len(word) - len(latin)], latin


def companies(random: Random, count: int) -> list[Company]:
    """`count` companies with distinct names, most of them makers; sales follow a long tail."""
    stems = [_name_part(word) for word in STEMS.split()]
    kinds = list(INDUSTRIES)
    weights = [INDUSTRIES[kind][1] for kind in kinds]
    found: dict[str, Company] = {}
    while len(found) < count:
        industry = random.choices(kinds, weights)[0]
        stem, stem_latin = random.choice(stems)
        tail, tail_latin = _name_part(random.choice(INDUSTRIES[industry][0].split()))
        before = random.random() < 0.55
        name = f"株式会社{stem}{tail}" if before else f"{stem}{tail}株式会社"
        domain = f"{stem_latin}-{tail_latin}.example.co.jp"
        if domain in found:
            continue
        found[domain] = _company(random, name, domain, industry)
    return list(found.values())


def _company(random: Random, name: str, domain: str, industry: str) -> Company:
    sales = int(min(max(random.lognormvariate(4.2, 1.5), 3), 6000)) * 100_000_000
    prefecture, city, area, postal = random.choice(PREFECTURES)
    fit = {"manufacturing": 0.62, "logistics": 0.42, "it": 0.38}.get(industry, 0.26)
    fit += 0.2 if sales >= 50_000_000_000 else 0.08 if sales >= 10_000_000_000 else 0
    local = 10 - len(area)
    number = "".join(str(random.randint(0, 9)) for _ in range(local - 5))
    phone = f"{area}-{random.randint(2, 9)}{number}-{random.randint(1000, 9999)}"
    return Company(
        name,
        domain,
        industry,
        sales,
        max(int(sales / 30_000_000 * random.uniform(0.6, 1.5)), 8),
        prefecture,
        f"{prefecture}{city}{random.randint(1, 5)}-{random.randint(1, 20)}-{random.randint(1, 15)}",
        f"{postal}{random.randint(10, 99)}",
        phone,
        min(fit * random.uniform(0.8, 1.2), 1),
    )


def staff(random: Random, firms: list[Company], count: int) -> list[Person]:
    """`count` people with distinct addresses, more of them at larger companies."""
    surnames = [_split(word) for word in SURNAMES.split()]
    given = [_split(word) for word in GIVEN.split()]
    weights = [2 + firm.employees**0.4 for firm in firms]
    taken: set[str] = set()
    found: list[Person] = []
    while len(found) < count:
        firm = random.choices(firms, weights)[0]
        last, first = random.choice(surnames), random.choice(given)
        email = f"{first[2][0]}.{last[2]}@{firm.domain}"
        if email in taken:
            email = f"{first[2]}.{last[2]}{random.randint(2, 99)}@{firm.domain}"
            if email in taken:
                continue
        taken.add(email)
        found.append(_person(random, firm, last, first, email))
    return found


def _person(random: Random, firm: Company, last: tuple[str, ...], first: tuple[str, ...], email: str) -> Person:
    rank = random.choices([rank for rank, _ in RANK_SHARE], [share for _, share in RANK_SHARE])[0]
    row: dict[str, object] = {
        "last_name": last[0],
        "first_name": first[0],
        "last_kana": last[1],
        "first_kana": first[1],
        "email": email,
        "company_name": firm.name,
        "department": random.choice(DEPARTMENTS),
        "title": random.choice(TITLES[rank]),
        "phone": firm.phone,
        "postal_code": firm.postal_code,
        "prefecture": firm.prefecture,
        "address": firm.city,
    }
    for column, chance in (("department", 0.06), ("title", 0.05), ("phone", 0.10), ("last_kana", 0.35)):
        if random.random() < chance:  # cards and forms are rarely complete
            row[column] = ""
    if not row["last_kana"]:
        row["first_kana"] = ""
    if random.random() < 0.3:
        row["mobile"] = f"0{random.choice((7, 8, 9))}0-{random.randint(1000, 9999)}-{random.randint(1000, 9999)}"
    interest = min(max(random.betavariate(1.3, 3.4) * (0.55 + firm.fit), 0.01), 0.98)
    return Person(row, firm, rank, interest)
