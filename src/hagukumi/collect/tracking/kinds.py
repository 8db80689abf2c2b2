"""The kinds of activity that the tracking room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

PAGE_VIEW = Kind(1, "page_view", "ページ閲覧", "Page view", "eye", "web", object="page", own=True, evidence=5)
DWELL = Kind(2, "dwell", "滞在", "Time on page", "clock", "web", object="page", unit="seconds", own=True)
SCROLL = Kind(3, "scroll", "スクロール", "Scroll depth", "arrow-down", "web", object="page", unit="percent", own=True)
DOWNLOAD = Kind(
    4, "download", "ファイルのダウンロード", "File download", "download", "web", object="page", own=True, evidence=3
)
CUSTOM = Kind(5, "custom", "計測イベント", "Tracked event", "bolt", "web", object="page", own=True)
VISITOR_JOINED = Kind(6, "visitor_joined", "匿名の訪問履歴を統合", "Earlier visits joined", "link", "web")
VISITOR_LEFT = Kind(
    7, "visitor_left", "別の人の訪問履歴を切り離し", "Somebody else's visits taken off", "unlink", "web"
)

KINDS = (PAGE_VIEW, DWELL, SCROLL, DOWNLOAD, CUSTOM, VISITOR_JOINED, VISITOR_LEFT)

OBJECTS = (Object("page", "coalesce(nullif(title, ''), url)"),)
