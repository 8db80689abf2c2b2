"""Words of the forms room: kinds, states, ready-made questions. Pure."""

from hagukumi.kit.answers import Choice, Definition, Field

KINDS = {
    "inquiry": ("問い合わせ", "Inquiry"),
    "download": ("資料ダウンロード", "Download"),
    "seminar": ("セミナー申込", "Seminar"),
    "survey": ("アンケート", "Survey"),
}
STATES = {"draft": ("下書き", "Draft"), "open": ("公開中", "Open"), "closed": ("終了", "Closed")}
TYPES = {
    "text": ("一行テキスト", "Text"),
    "email": ("メールアドレス", "E-mail"),
    "tel": ("電話番号", "Phone"),
    "select": ("選択", "Choice"),
    "textarea": ("複数行テキスト", "Long text"),
    "checkbox": ("チェック", "Tick box"),
}
COLUMNS = {
    "last_name": ("姓", "Last name"),
    "first_name": ("名", "First name"),
    "last_kana": ("セイ", "Last name (kana)"),
    "first_kana": ("メイ", "First name (kana)"),
    "company_name": ("会社名", "Company"),
    "department": ("部署", "Department"),
    "title": ("役職", "Title"),
    "email": ("メールアドレス", "E-mail"),
    "phone": ("電話番号", "Phone"),
    "mobile": ("携帯電話", "Mobile"),
    "postal_code": ("郵便番号", "Postal code"),
    "prefecture": ("都道府県", "Prefecture"),
    "address": ("住所", "Address"),
    "issue": ("課題", "Issue"),
    "timeframe": ("導入時期", "Timeframe"),
    "users_expected": ("利用人数", "Number of users"),
    "place": ("利用場所", "Place of use"),
}
"""Lead columns that a question may fill, with their usual labels (M3)."""

CONSENT_TEXT = (
    "ご入力いただいた個人情報は、お問い合わせへの対応、および当社の製品・セミナーのご案内のために利用します。"
    "ご案内のメールは、各メールにある手続きからいつでも停止できます。"
)


def _question(key: str, *, required: bool = False, kind: str = "text") -> Field:
    japanese, english = COLUMNS[key]
    return Field(key=key, type=kind, label_ja=japanese, label_en=english, required=required, maps_to=key)


def starter(kind: str) -> Definition:
    """A form that can be opened as it is: few questions, so that people finish it."""
    person = (
        _question("company_name", required=True),
        _question("last_name", required=True),
        _question("first_name", required=True),
        _question("email", required=True, kind="email"),
    )
    titles = {
        "inquiry": ("お問い合わせ", "Contact us", "送信する", "Send"),
        "download": ("資料のダウンロード", "Download", "資料を受け取る", "Get the file"),
        "seminar": ("セミナーのお申し込み", "Seminar", "申し込む", "Register"),
        "survey": ("アンケート", "Survey", "回答する", "Answer"),
    }
    title_ja, title_en, button_ja, button_en = titles[kind]
    more: dict[str, tuple[Field, ...]] = {
        "inquiry": (_question("phone", kind="tel"), _question("issue", required=True, kind="textarea")),
        "download": (_question("department"), _question("title")),
        "seminar": (_question("department"), _question("phone", kind="tel")),
        "survey": (_timeframe(), _question("issue", kind="textarea")),
    }
    return Definition(
        title_ja=title_ja, title_en=title_en, button_ja=button_ja, button_en=button_en,
        thanks_ja="ありがとうございました。", thanks_en="Thank you.", consent="optional", fields=person + more[kind],
    )  # fmt: skip


def _timeframe() -> Field:
    labels = ("3か月以内", "6か月以内", "1年以内", "未定")
    english = ("Within 3 months", "Within 6 months", "Within a year", "Not decided")
    choices = tuple(Choice(ja, ja, en) for ja, en in zip(labels, english, strict=True))
    return Field("timeframe", "select", "導入時期", "Timeframe", maps_to="timeframe", choices=choices)


def problems(definition: Definition) -> list[str]:
    """Why a definition cannot be opened: `no_fields`, `no_title`, `no_label`, `no_choices`, `twice`, `no_person`."""
    found = []
    if not (definition.title_ja or definition.title_en):
        found.append("no_title")
    if not definition.fields:
        found.append("no_fields")
    if any(not (question.label_ja or question.label_en) for question in definition.fields):
        found.append("no_label")
    if any(question.type == "select" and not question.choices for question in definition.fields):
        found.append("no_choices")
    targets = [question.maps_to for question in definition.fields if question.maps_to]
    if len(targets) != len(set(targets)):
        found.append("twice")
    if definition.fields and not {"email", "last_name", "phone", "mobile"} & set(targets):
        found.append("no_person")
    return found
