"""The kinds of activity that the leads room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

LEAD_CREATED = Kind(30, "lead_created", "リード登録", "Lead created", "user-plus", "lead", object="source")
LEAD_IMPORTED = Kind(31, "lead_imported", "取り込み", "Imported", "database-import", "lead", object="import_file")
FIELD_CHANGED = Kind(32, "field_changed", "項目の変更", "Field changed", "edit", "lead")
LEAD_MERGED = Kind(33, "lead_merged", "名寄せ", "Merged", "arrows-join", "lead", object="lead")
NOTE = Kind(34, "note", "メモ", "Note", "note", "lead")
CALL = Kind(35, "call", "電話", "Call", "phone", "call", unit="seconds", own=True, contact=True)
TAGGED = Kind(36, "tagged", "タグ追加", "Tagged", "tag", "lead")
UNTAGGED = Kind(37, "untagged", "タグ削除", "Tag removed", "tag-off", "lead")
STATE_CHANGED = Kind(38, "state_changed", "在籍状態の変更", "Employment state changed", "user-exclamation", "lead")
SEMINAR_ATTENDED = Kind(
    39,
    "seminar_attended",
    "セミナー参加",
    "Seminar attended",
    "presentation",
    "seminar",
    object="source",
    own=True,
    contact=True,
)
SEMINAR_ABSENT = Kind(
    40, "seminar_absent", "セミナー欠席", "Seminar missed", "presentation-off", "seminar", object="source"
)
BOOTH_TALK = Kind(
    41,
    "booth_talk",
    "ブースでの会話",
    "Booth talk",
    "message-circle",
    "seminar",
    object="source",
    own=True,
    contact=True,
)
CARD_RECEIVED = Kind(
    42,
    "card_received",
    "名刺交換",
    "Business card received",
    "id-badge-2",
    "seminar",
    object="source",
    own=True,
    contact=True,
)

KINDS = (
    LEAD_CREATED,
    LEAD_IMPORTED,
    FIELD_CHANGED,
    LEAD_MERGED,
    NOTE,
    CALL,
    TAGGED,
    UNTAGGED,
    STATE_CHANGED,
    SEMINAR_ATTENDED,
    SEMINAR_ABSENT,
    BOOTH_TALK,
    CARD_RECEIVED,
)

OBJECTS = (
    Object("source"),
    Object("import_file", "file_name"),
    Object("lead", "last_name || ' ' || first_name", key="lead_id"),
)
