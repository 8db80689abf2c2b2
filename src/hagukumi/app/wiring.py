"""The whole house on one page: which rooms register what, and the order of the heart's steps."""

from hagukumi.accounts import kinds as staff_kinds
from hagukumi.channels.broadcasts import kinds as broadcast_kinds
from hagukumi.channels.broadcasts import reads as broadcast_reads
from hagukumi.channels.broadcasts import services as broadcasts
from hagukumi.channels.mail import kinds as mail_kinds
from hagukumi.channels.mail import reads as mail_reads
from hagukumi.channels.mail import services as mail
from hagukumi.channels.outbox import services as outbox
from hagukumi.channels.unsubscribe import kinds as unsubscribe_kinds
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.collect.forms import services as forms
from hagukumi.collect.tracking import digest, rollup
from hagukumi.collect.tracking import kinds as tracking_kinds
from hagukumi.collect.tracking import services as tracking
from hagukumi.judge.phases import conditions as phase_conditions
from hagukumi.judge.phases import kinds as phase_kinds
from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import conditions as score_conditions
from hagukumi.judge.scoring import kinds as score_kinds
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import kinds as segment_kinds
from hagukumi.judge.segments import services as segments
from hagukumi.ledger import builds, causes, definitions, kinds, objects, uses
from hagukumi.ledger import services as ledger
from hagukumi.ledger.definitions import Owner
from hagukumi.nurture.scenarios import kinds as scenario_kinds
from hagukumi.nurture.scenarios import reads as scenario_reads
from hagukumi.nurture.scenarios import services as scenarios
from hagukumi.people.consent import kinds as consent_kinds
from hagukumi.people.leads import kinds as lead_kinds
from hagukumi.people.leads import services as leads
from hagukumi.sales.deals import conditions as deal_conditions
from hagukumi.sales.deals import kinds as deal_kinds
from hagukumi.sales.handovers import kinds as handover_kinds

_connected = False


def connect() -> None:
    """Register every room's activity kinds, condition types and heart steps. Called once, when Django starts."""
    global _connected
    if _connected:
        return
    _connected = True
    for room in (
        staff_kinds,
        tracking_kinds,
        mail_kinds,
        unsubscribe_kinds,
        broadcast_kinds,
        form_kinds,
        lead_kinds,
        consent_kinds,
        segment_kinds,
        score_kinds,
        phase_kinds,
        handover_kinds,
        deal_kinds,
        scenario_kinds,
    ):
        kinds.register(*getattr(room, "KINDS", ()))
        objects.register(*getattr(room, "OBJECTS", ()))
    outbox.register(mail.EMAIL)
    for leaf in (
        score_conditions.Scored,
        phase_conditions.InPhase,
        phase_conditions.ActedSincePhase,
        deal_conditions.HasDeal,
    ):
        segments.register_condition(leaf)
    definitions.register(
        Owner("segment", "セグメント", "Segment", "/segments/{}/", segments.ask_afresh),
        Owner("score", "スコア", "Score", "/scoring/", scoring.ask_afresh),
        Owner("phase", "フェーズのルール", "Phase rule", "/phases/", phases.ask_rule_afresh),
        Owner("phase_model", "フェーズ", "Phases", "/phases/", phases.ask_afresh),
        Owner("scenario", "シナリオ", "Scenario", "/scenarios/{}/"),
        Owner("broadcast", "配信", "Broadcast", "/messages/{}/"),
        Owner("digest", "計測イベントの取り込み", "Event intake", longest_rest=definitions.FIRST_REST),
    )
    tracking.register_taker("form", forms.take_answers)
    tracking.register_taker("content", forms.take_downloads)
    for name, reader in (
        ("leads", leads.causes),
        ("segments", segments.causes),
        ("scoring", scoring.causes),
        ("phases", phases.causes),
        ("scenarios", scenarios.causes),
    ):
        causes.register(name, reader)
    for name, used in (
        ("segments", segments.uses),
        ("scoring", scoring.uses),
        ("phases", phases.uses),
        ("mail", mail_reads.uses),
        ("broadcasts", broadcast_reads.uses),
        ("scenarios", scenario_reads.uses),
    ):
        uses.register(name, used)
    builds.register("segments", builds.Builder("segment", segments.UNBUILT, segments.build, order=segments.build_order))
    builds.register("scoring", builds.Builder("score", scoring.UNBUILT, scoring.build))
    builds.register("phases", builds.Builder("phase_model", phases.UNBUILT, phases.build))
    ledger.register_counter(rollup.count)
    # The order of a beat: definitions, digest, search, recency, segments, scoring, phases, scenarios, messages,
    # broadcasts, rollup.
    ledger.register_step("definitions", definitions.step)
    ledger.register_step("digest", digest.step)
    ledger.register_step("search", leads.refresh_search)
    ledger.register_step("recency", leads.refresh_recency)
    ledger.register_step("segments", segments.step)
    ledger.register_step("scoring", scoring.step)
    ledger.register_step("phases", phases.step)
    ledger.register_step("scenarios", scenarios.step)
    ledger.register_step("messages", mail.queue_asked)
    ledger.register_step("broadcasts", broadcasts.step)
    ledger.register_step("rollup", rollup.step)
