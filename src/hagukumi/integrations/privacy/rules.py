"""What becomes of a person's rows in each table when they are erased. A test holds that every table is here.

Source: 個人情報保護法 33条 (開示) and 35条 (利用停止・消去); 特定電子メール法 3条3項 (who has refused is not mailed
again): the fact of the stop outlives the person, by the hash of the address.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """A person's rows: those whose `by` column is one of their ids. Exported, and deleted."""

    by: str = "lead_id"


@dataclass(frozen=True)
class Texts:
    """Rows that may name a person inside a JSON or text column: those in which one of their addresses stands."""

    column: str


@dataclass(frozen=True)
class Other:
    """Nothing about a person, or dealt with by a verb of its own: why."""

    reason: str


TABLES: dict[str, Rows | Texts | Other] = {
    "lead": Rows(),
    "lead_identity": Rows(),
    "lead_tag": Rows(),
    "lead_search": Rows(),
    "lead_recency": Rows(),
    "employment": Rows(),
    "activity": Rows(),
    "pulse": Rows(),
    "consent": Rows(),
    "consent_now": Rows(),
    "address_check": Rows(),
    "segment_member": Rows(),
    "segment_past": Rows(),
    "build_missed": Rows(),
    "condition_due": Rows(),
    "lead_score": Rows(),
    "lead_phase": Rows(),
    "submission": Rows(),
    "delivery": Rows(),
    "enrollment": Rows(),
    "handover": Rows(),
    "deal": Rows(),
    "inbox": Rows(),
    "import_row": Rows(),
    "import_reject": Texts("raw"),
    "import_notice": Texts("value"),
    "held_answer": Texts("details"),
    "idempotency_key": Texts("body"),
    "suppression": Other("the stop of an address: kept by its hash in stop_kept, see consent.services.keep_stops"),
    "stop_kept": Other("hashes of addresses that must not be mailed: what the law lets one keep"),
    "audit_entry": Other("only added to; names nobody but by a lead's number, which then leads nowhere"),
    "throttle": Other("addresses of computers, forgotten after 30 days"),
    "import_file": Other("counts of a file; the file itself is looked through, see files.py"),
    "operation": Other("counts of people"),
    "mail_line": Other("servers and our own addresses"),
    "activity_day": Other("counts by day"),
    "scenario_node_count": Other("counts"),
    "seen_event": Other("random ids, forgotten after 4 days"),
    "dropped": Other("counts by day"),
    "rollup_due": Other("days to count again"),
    "page": Other("addresses of web pages"),
    "site": Other("our websites"),
    "company": Other("organisations"),
    "company_domain": Other("organisations"),
    "source": Other("definition"),
    "field": Other("definition"),
    "consent_text": Other("definition"),
    "content": Other("definition"),
    "form": Other("definition"),
    "form_version": Other("definition"),
    "segment": Other("definition"),
    "score_model": Other("definition"),
    "score_version": Other("definition"),
    "phase": Other("definition"),
    "phase_model": Other("definition"),
    "phase_rule": Other("definition"),
    "scenario": Other("definition"),
    "scenario_version": Other("definition"),
    "message": Other("definition"),
    "sender": Other("our own addresses"),
    "broadcast": Other("definition"),
    "deal_stage": Other("definition"),
    "plan": Other("definition"),
    "workspace": Other("ourselves"),
    "staff": Other("our own people"),
    "staff_session": Other("our own people"),
    "api_token": Other("other systems"),
    "set_aside": Other("definitions that broke"),
    "heart_step": Other("the heart's own record"),
    "shared_cache": Other("counters that end by themselves"),
    "django_session": Other("our own people"),
    "django_migrations": Other("the schema's own record"),
    "django_content_type": Other("the schema's own record"),
    "auth_permission": Other("the framework's, unused"),
    "auth_group": Other("the framework's, unused"),
    "auth_group_permissions": Other("the framework's, unused"),
    "account_emailaddress": Other("our own people, unused"),
    "account_emailconfirmation": Other("our own people, unused"),
    "mfa_authenticator": Other("our own people's second steps"),
    "procrastinate_jobs": Other("numbers of imports and batches; deleted when done"),
    "procrastinate_events": Other("times of jobs"),
    "procrastinate_periodic_defers": Other("times of jobs"),
    "procrastinate_workers": Other("our own processes"),
}
