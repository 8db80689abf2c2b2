"""Segments: the condition language and materialised membership.

Tables: segment, segment_member, condition_due. Verbs (services): validate, members_sql, due_sql, dependencies,
sentence, clause, count, explain, save, archive, step, ready_made, register_condition; for other owners of
conditions (`asking`): work, in_force, ask, scope_sql, keep_dues.
"""
