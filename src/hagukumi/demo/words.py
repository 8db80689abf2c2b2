"""What ひなた計測株式会社 says: its mails, forms, papers, pages and fairs. Product: 設備稼働モニタ「ミナモ」."""

from typing import Any

from hagukumi.kit import answers

COMPANY = "ひなた計測株式会社"
SITE = "https://www.hinata-keisoku.example.co.jp"
SENDER = {
    "name": "ひなた計測 ミナモ担当",
    "email": "minamo@hinata-keisoku.example.co.jp",
    "reply_to": "minamo@hinata-keisoku.example.co.jp",
    "legal_name": COMPANY,
    "postal_address": "〒433-0000 静岡県浜松市中央区ひなた町1-2-3",
    "contact": "お客様窓口 053-000-0000 / support@hinata-keisoku.example.co.jp",
}
STAFF = (
    ("admin", "管理 さくら", "admin@example.co.jp"),
    ("marketing", "三宅 ひかり", "marketing@example.co.jp"),
    ("sales", "大森 健", "sales@example.co.jp"),
    ("sales", "柏木 真理", "sales2@example.co.jp"),
)
PAGES = {
    # path: (title, category, how often it is read)
    "/": ("ミナモ｜工場設備の稼働を見える化", "", 20),
    "/product/": ("製品｜設備稼働モニタ ミナモ", "product", 16),
    "/product/sensor/": ("後付けセンサーの仕組み｜ミナモ", "product", 9),
    "/case/": ("導入事例一覧｜ミナモ", "case", 9),
    "/case/press/": ("事例｜プレス工程の停止時間を32%減らした工場", "case", 7),
    "/case/food/": ("事例｜食品ラインの異常を2時間早くつかむ", "case", 6),
    "/blog/oee/": ("設備総合効率（OEE）の正しい測り方", "blog", 12),
    "/blog/choko/": ("チョコ停を減らす5つの手順", "blog", 13),
    "/blog/hozen/": ("予知保全をどこから始めるか", "blog", 9),
    "/price/": ("料金｜ミナモ", "price", 6),
    "/download/": ("資料ダウンロード｜ミナモ", "", 6),
    "/contact/": ("お問い合わせ｜ミナモ", "", 3),
}
CONTENTS = (
    (
        "guide",
        "whitepaper",
        "設備稼働の見える化 はじめかたガイド",
        "後付けセンサーで始める5つの段階を、図と費用の目安でまとめました。",
    ),
    ("choko", "checklist", "チョコ停 原因切り分けチェックリスト", "現場で印刷して使える、36項目の点検表です。"),
    ("cases", "case", "導入事例集 2026（製造業 12社）", "停止時間、人手、品質。12の工場が何を測り、何を変えたか。"),
    ("roi", "roi", "投資効果 試算シート", "台数と停止時間を入れると、回収期間の目安が出ます。"),
)
FORMS = (
    ("guide", "download", "資料ダウンロード：はじめかたガイド", "guide"),
    ("cases", "download", "資料ダウンロード：導入事例集", "cases"),
    ("contact", "inquiry", "お問い合わせ", None),
    ("webinar", "seminar", "ウェビナー申込み", None),
)
CONSENT = (
    "ご入力いただいた情報は、ご請求の資料のお届けと、製品・セミナーのご案内に利用します。ご案内はいつでも停止できます。"
)
_SIGN = "\n\n---\n\nひなた計測株式会社 {{ 担当者名 }}"
MESSAGES = (
    (
        "welcome",
        "【資料のお届け】{{ 姓 }}様、ダウンロードありがとうございます",
        "続けて読まれている資料もご紹介します",
        "{{ 会社名 }}\n{{ 姓 }} 様\n\n# 資料をお届けしました\n\nこのたびは資料をご請求いただき、ありがとうございます。"
        "読み終えた方の多くが、次にこの二つをご覧になっています。\n\n"
        f"- [プレス工程の停止時間を32%減らした工場の事例]({SITE}/case/press/)\n- [後付けセンサーの仕組み]({SITE}/product/sensor/)\n\n"
        f"[[導入事例をまとめて見る]]({SITE}/case/)\n\nご不明な点は、このメールにそのままご返信ください。" + _SIGN,
    ),
    (
        "case",
        "停止時間を32%減らした工場は、何から始めたか",
        "最初に付けたセンサーは、たった3台でした",
        "{{ 会社名 }}\n{{ 姓 }} 様\n\n# 最初に付けたセンサーは、3台でした\n\nあるプレス工場では、止まりやすい3台だけに後付けセンサーを付け、"
        "2週間で「止まる前の30分」に共通の兆候を見つけました。\n\n"
        f"[[事例の続きを読む]]({SITE}/case/press/)\n\n同じ測り方は [チョコ停を減らす5つの手順]({SITE}/blog/choko/) にもまとめています。"
        + _SIGN,
    ),
    (
        "price",
        "台数別の費用と、回収までの期間の目安",
        "試算シートで3分ほどで出せます",
        "{{ 会社名 }}\n{{ 姓 }} 様\n\n# 費用の目安をまとめました\n\n「自社だといくらになるか」というご質問を多くいただきます。"
        f"10台から始める場合の費用と、回収期間の考え方をまとめました。\n\n[[料金を見る]]({SITE}/price/)\n\n"
        f"具体的な構成のご相談は [お問い合わせ]({SITE}/contact/) からどうぞ。" + _SIGN,
    ),
    (
        "remind",
        "{{ 姓 }}様、その後の設備の見える化はいかがですか",
        "最近の事例を1本だけお届けします",
        "{{ 会社名 }}\n{{ 姓 }} 様\n\nしばらくご無沙汰しております。以前ご関心をお寄せいただいた設備の見える化について、"
        f"この春いちばん読まれた事例を1本だけお届けします。\n\n[食品ラインの異常を2時間早くつかむ]({SITE}/case/food/)\n\n"
        "ご関心が変わられた場合は、下の配信停止からお知らせください。" + _SIGN,
    ),
    (
        "thanks",
        "展示会でのご来場、ありがとうございました",
        "ブースでお話しした内容の資料です",
        "{{ 会社名 }}\n{{ 姓 }} 様\n\n# ご来場ありがとうございました\n\nブースでご紹介した「後付けセンサーの仕組み」は、こちらで改めてご覧いただけます。\n\n"
        f"[[仕組みを見る]]({SITE}/product/sensor/)\n\n[導入事例集]({SITE}/case/) もあわせてどうぞ。" + _SIGN,
    ),
)
NEWS = (
    ("設備総合効率（OEE）の正しい測り方", "/blog/oee/"),
    ("チョコ停を減らす5つの手順", "/blog/choko/"),
    ("予知保全をどこから始めるか", "/blog/hozen/"),
    ("食品ラインの異常を2時間早くつかむ", "/case/food/"),
    ("後付けセンサーの仕組み", "/product/sensor/"),
    ("プレス工程の停止時間を32%減らした工場", "/case/press/"),
)
TALKS = (
    "老朽化した設備が多く、停止の記録を紙で取っている。",
    "夜勤帯の停止時間をつかめていない。",
    "他社と比較中。費用の目安を知りたい。",
    "まず1ラインで試したい。来月デモを希望。",
    "予知保全に関心。情報システム部と相談するとのこと。",
    "担当役員の承認が要る。資料を社内で回す。",
)
SOURCES = (
    # name, type, day (days before the end), cost, leads, basis
    ("ものづくり総合展 2026 春", "exhibition", 262, 2_400_000, 520, "card"),
    ("スマート工場展 2026 秋", "exhibition", 68, 2_800_000, 560, "card"),
    ("中部 設備保全フェア", "exhibition", 150, 1_100_000, 240, "card"),
    ("営業の名刺交換", "card", None, 0, 330, "card"),
    ("ウェビナー「OEEの測り方」", "webinar", 205, 180_000, 190, "optin"),
    ("ウェビナー「チョコ停ゼロ」", "webinar", 110, 180_000, 210, "optin"),
    ("ウェビナー「予知保全の始め方」", "webinar", 33, 180_000, 170, "optin"),
    ("Webサイト 資料請求", "download", None, 600_000, 430, "optin"),
    ("Webサイト お問い合わせ", "inquiry", None, 0, 90, "optin"),
    ("テレマーケティング 2026上期", "telemarketing", 180, 900_000, 130, "relation"),
    ("業界メディア広告", "ad", 95, 750_000, 130, "optin"),
)
SOURCE_KINDS = {"webinar": "seminar", "download": "request", "ad": "ads"}
"""Where the story's word for a source is not a key of `leads.rules.SOURCE_TYPES`, that key."""
NAMES = {
    "welcome": "資料請求のお礼",
    "case": "事例のご紹介",
    "price": "費用の目安",
    "remind": "ご無沙汰のご連絡",
    "thanks": "展示会のお礼",
}
GATES = {slug: gate for slug, _kind, _name, gate in FORMS if gate}
PAPER = [
    "1. 止まる設備を選ぶ。すべてを測ろうとせず、止まると困る設備から三台を選びます。停止の記録が紙しかない場合も、"
    "直近一か月の日報から回数と時間を数えれば十分です。",
    "2. 後付けセンサーを付ける。電流と振動の二つで、稼働・待機・停止はほぼ見分けられます。配線の工事は要りません。",
    "3. 二週間だけ測る。平日と休日、昼勤と夜勤の違いが出る長さです。止まる前の三十分に何が起きているかを見ます。",
    "4. 一つだけ直す。いちばん多い原因に絞り、段取りや部品の交換周期を変えます。",
    "5. 効果を数える。停止時間、人手、品質。三つのうち一つでも動けば、次の設備に広げる根拠になります。",
]
ASKED = (
    ("last_name", "姓", "Last name", "text", True),
    ("first_name", "名", "First name", "text", True),
    ("company_name", "会社名", "Company", "text", True),
    ("email", "メールアドレス", "E-mail", "email", True),
    ("department", "部署名", "Department", "text", False),
    ("title", "役職名", "Title", "text", False),
)


def form(kind: str, name: str) -> answers.Definition:
    """The definition of one of the demo's forms: few questions, one more where something is asked."""
    fields = [answers.Field(key, type_, ja, en, must, key) for key, ja, en, type_, must in ASKED]
    if kind == "inquiry":
        fields.append(answers.Field("issue", "textarea", "お問い合わせの内容", "Your question", True, "issue"))
    thanks = {"inquiry": "担当者から2営業日以内にご連絡します。", "seminar": "参加用のURLをメールでお送りします。"}
    return answers.Definition(
        title_ja=name,
        title_en=name,
        lead_ja="必要な項目だけをお尋ねします。1分ほどで終わります。",
        lead_en="Only what is needed: about a minute.",
        button_ja="送信する",
        button_en="Send",
        thanks_ja=thanks.get(kind, "ご請求ありがとうございます。下のボタンから資料をご覧ください。"),
        thanks_en="Thank you.",
        consent="required",
        fields=tuple(fields),
    )


def newsletter(title: str, path: str) -> str:
    """The body of a month's newsletter about one article."""
    return (
        f"{{{{ 会社名 }}}}\n{{{{ 姓 }}}} 様\n\n# {title}\n\n今月いちばん読まれた記事です。現場で使える形にまとめました。\n\n"
        f"[[続きを読む]]({SITE}{path})\n\nあわせて読まれています: [導入事例]({SITE}/case/) / [料金]({SITE}/price/)"
        + _SIGN
    )


def segments() -> list[tuple[str, dict[str, Any]]]:
    """The segments that marketing made itself: (name, condition)."""
    ready = {
        "type": "all",
        "items": [
            {"type": "score", "reached": True},
            {"type": "score", "side": "behaviour", "gte": 5},
        ],
    }
    fairs = {"type": "source", "types": ["exhibition"]}
    recent = {"type": "known_since", "days": 21}
    makers = {
        "type": "all",
        "items": [
            {"type": "company", "industries": ["manufacturing"]},
            {"type": "field", "field": "rank", "op": "in", "values": ["exec", "manager"]},
        ],
    }
    return [
        ("メルマガ読者", {"type": "consent", "granted": True}),
        ("営業へ渡す基準に到達", ready),
        ("展示会の新しい名刺", {"type": "all", "items": [fairs, recent]}),
        ("製造業の決裁に関わる人", makers),
    ]


def scenarios(ids: dict[str, int]) -> list[tuple[str, dict[str, Any]]]:
    """The scenarios at work: (name, graph). `ids` holds form:, mail:, segment: and phase: keys."""
    return [
        (
            "資料請求フォロー",
            {
                "schema": 1,
                "entry": {"type": "form", "form_id": ids["form:guide"], "re_entry": "never"},
                "start": "n1",
                "nodes": [
                    {"id": "n1", "type": "mail", "message_id": ids["mail:welcome"], "next": "n2"},
                    {
                        "id": "n2",
                        "type": "branch",
                        "test": {"type": "clicked", "message_id": ids["mail:welcome"]},
                        "days": 4,
                        "yes": "n3",
                        "no": "n5",
                    },
                    {"id": "n3", "type": "tag", "tag": "事例に関心", "next": "n4"},
                    {"id": "n4", "type": "mail", "message_id": ids["mail:price"], "next": "n7"},
                    {"id": "n5", "type": "wait", "days": 3, "time": "10:00", "weekdays": [1, 2, 3], "next": "n6"},
                    {"id": "n6", "type": "mail", "message_id": ids["mail:case"], "next": "n7"},
                    {"id": "n7", "type": "end"},
                ],
            },
        ),
        (
            "展示会フォロー",
            {
                "schema": 1,
                "entry": {"type": "segment", "segment_id": ids["segment:展示会の新しい名刺"], "re_entry": "never"},
                "start": "n1",
                "nodes": [
                    {"id": "n1", "type": "wait", "days": 1, "time": "10:00", "weekdays": [1, 2, 3], "next": "n2"},
                    {"id": "n2", "type": "mail", "message_id": ids["mail:thanks"], "next": "n3"},
                    {
                        "id": "n3",
                        "type": "branch",
                        "test": {"type": "clicked", "message_id": ids["mail:thanks"]},
                        "days": 5,
                        "yes": "n4",
                        "no": "n6",
                    },
                    {"id": "n4", "type": "tag", "tag": "展示会後に反応", "next": "n5"},
                    {"id": "n5", "type": "mail", "message_id": ids["mail:price"], "next": "n8"},
                    {"id": "n6", "type": "wait", "days": 7, "time": "10:00", "weekdays": [1, 2, 3], "next": "n7"},
                    {"id": "n7", "type": "mail", "message_id": ids["mail:case"], "next": "n8"},
                    {"id": "n8", "type": "end"},
                ],
            },
        ),
        (
            "営業への引き渡し",
            {
                "schema": 1,
                "entry": {"type": "segment", "segment_id": ids["segment:営業へ渡す基準に到達"], "re_entry": "never"},
                "start": "n1",
                "nodes": [
                    {"id": "n1", "type": "phase", "phase_id": ids["phase:considering"], "next": "n2"},
                    {"id": "n2", "type": "hand_over", "next": "n3"},
                    {"id": "n3", "type": "end"},
                ],
            },
        ),
        (
            "休眠の掘り起こし",
            {
                "schema": 1,
                "entry": {"type": "segment", "segment_id": ids["segment:dormant"], "re_entry": "never"},
                "start": "n1",
                "nodes": [
                    {"id": "n1", "type": "wait", "days": 1, "time": "10:00", "weekdays": [1, 2, 3], "next": "n2"},
                    {"id": "n2", "type": "mail", "message_id": ids["mail:remind"], "next": "n3"},
                    {
                        "id": "n3",
                        "type": "branch",
                        "test": {"type": "clicked", "message_id": ids["mail:remind"]},
                        "days": 14,
                        "yes": "n4",
                        "no": "n5",
                    },
                    {"id": "n4", "type": "tag", "tag": "休眠から復帰", "next": "n5"},
                    {"id": "n5", "type": "end"},
                ],
            },
        ),
    ]
